import { quote, RktError } from '../../base/index.ts'
import { formatOciReference, openOciSource, type OciReference, type ResolvedImage } from '../../fetch/index.ts'
import { hostOciPlatform, hostPlatform, identifierOf, parseACIdentifier } from '../../spec/index.ts'
import type { AcquiringOptions } from '../acquire.ts'
import { checkExpectation, type Expectation } from '../check-manifest.ts'
import { imageByName } from '../find.ts'
import { httpOptions } from '../http-options.ts'
import { judgeStored } from '../judge-stored.ts'
import type { ImageRecord } from '../record.ts'
import { readRecordsWith, usableRecords } from '../records.ts'
import { authenticate } from './authenticate.ts'
import { importOci } from './import.ts'
import { namesOf, underName } from './record.ts'

/**
 * The image behind `docker:`, `oci:`, `oci-archive:` or `docker-archive:`. What lies in files is looked at each time; a registry is
 * asked as the pull policy says.
 *
 * @throws RktError of receiving, of trust, and of the image.
 */
export async function acquireOci(reference: OciReference, options: AcquiringOptions): Promise<ImageRecord> {
  const { store, log, pullPolicy, insecure } = options
  const full = formatOciReference(reference)
  const stored = pullPolicy === 'update' ? undefined : findStored(reference, options)
  if (stored !== undefined) {
    log.debug('image', `using image from local store for image ${full}`)
    return await judgeStored(store.layout, stored, options)
  }
  if (pullPolicy === 'never' && reference.transport === 'docker') throw notFound(full)
  if (insecure.tls && reference.transport === 'docker') log.notice('image', 'warning: TLS verification has been disabled')
  log.debug('image', `fetching image from ${full}`)
  await using source = await openOciSource(reference, { ...httpOptions(options), ...(options.logins === undefined ? {} : { logins: options.logins }) })
  const resolved = named(await source.resolve(hostOciPlatform(process.arch)), options.expect)
  if (options.expect !== undefined) checkExpectation(resolved, { ...options.expect, labels: options.expect.labels.filter(({ name }) => name === 'version') })
  const authentic = await authenticate(source, resolved, { ...options, image: full })
  const { now, signal, onProgress } = options
  return await importOci(store, { source, resolved, ...authentic, now, signal, ...(onProgress === undefined ? {} : { onProgress }) })
}

/** An image of a file that has only a tag is called as the user says: its signature must then be for that name. */
function named(resolved: ResolvedImage, expect: Expectation | undefined): ResolvedImage {
  if (expect === undefined || resolved.nameSource === 'requested' || resolved.fullName !== undefined) return resolved
  const version = expect.labels.filter(({ name }) => name === 'version')
  return { ...resolved, name: expect.name, labels: version.length === 0 ? resolved.labels : version }
}

function findStored(reference: OciReference, { store }: AcquiringOptions): ImageRecord | undefined {
  if (reference.transport !== 'docker') return undefined
  const name = identifierOf(reference)
  const { digest, tag } = reference
  if (digest === undefined) {
    const version = { name: parseACIdentifier('version'), value: tag ?? 'latest' }
    return imageByName(store.layout, { name, labels: [version], platform: hostPlatform(process.arch), log: store.log })
  }
  for (const record of usableRecords(readRecordsWith(store.layout, digest), store.log)) {
    if (record.kind !== 'oci' || !record.documents.some((document) => document.digest === digest)) continue
    const known = namesOf(record).find((candidate) => candidate.name === name)
    if (known !== undefined) return underName(record, known)
  }
  return undefined
}

/** The original's words. */
function notFound(text: string): RktError {
  return new RktError(
    'not-found',
    `unable to fetch docker image from URL ${quote(text)}: either image was not found in the store or store was disabled and fetching from remote yielded nothing or it was disabled`,
  )
}
