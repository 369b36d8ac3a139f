import { quote, RktError, type ImageID, type Log } from '../base/index.ts'
import { hubIdentifier, parseACIdentifier, type ACIdentifier, type Label } from '../spec/index.ts'
import type { Layout } from './layout.ts'
import { underName, type OciRecord } from './oci/record.ts'
import type { ImageRecord } from './record.ts'
import { readRecord, readRecordsWith, recordIDs, usableRecords } from './records.ts'

const prefix = 'sha512-'
const aliasPrefix = 'sha256:'

/** Whether a text is an image ID, or the beginning of one: `sha512-…`, or `sha256:…` of the manifest of an OCI image. */
export function isImageID(text: string): boolean {
  return text.startsWith(prefix) || text.startsWith(aliasPrefix)
}

/**
 * The one image whose ID begins with `text`, with the original's words for the failures; digits after the 64th are cut.
 *
 * @throws RktError `invalid-reference`, `not-found`, `ambiguous`.
 */
export function resolveID(layout: Layout, text: string): ImageID {
  if (text.startsWith(aliasPrefix)) return resolveAlias(layout, text)
  if (!text.startsWith(prefix)) throw new RktError('invalid-reference', `wrong key prefix: ${quote(text)}; expected "sha512-" or "sha256:"`)
  const digits = text.slice(prefix.length)
  if (digits.length < 2) throw new RktError('invalid-reference', `image ID too short: ${quote(text)}; expected at least two digits`)
  if (!/^[0-9a-f]{2,128}$/.test(digits)) throw new RktError('invalid-reference', `cannot use image ID ${quote(text)}: expected hexadecimal digits`)
  const wanted = prefix + digits.slice(0, 64)
  const found = recordIDs(layout).filter((id) => id.startsWith(wanted))
  const [first] = found
  if (first === undefined) throw new RktError('not-found', `no image IDs found: ${quote(text)}`)
  if (found.length > 1) throw new RktError('ambiguous', `ambiguous image ID: ${quote(text)}`, { hint: 'give more digits' })
  return first
}

/** The image whose manifest, or an index that led to it, has a digest that begins so. */
function resolveAlias(layout: Layout, text: string): ImageID {
  if (!/^sha256:[0-9a-f]{2,64}$/.test(text)) throw new RktError('invalid-reference', `cannot use image ID ${quote(text)}: expected sha256: and 2 to 64 hexadecimal digits`)
  const found = readRecordsWith(layout, `"${text}`).flatMap((reading) =>
    reading.kind === 'image' && reading.record.kind === 'oci' && reading.record.documents.some(({ digest }) => digest.startsWith(text)) ? [reading.record.id] : [],
  )
  const [first] = found
  if (first === undefined) throw new RktError('not-found', `no image IDs found: ${quote(text)}`)
  if (found.length > 1) throw new RktError('ambiguous', `ambiguous image ID: ${quote(text)}`, { hint: 'give more digits' })
  return first
}

/**
 * The image behind a whole ID.
 *
 * @throws RktError `not-found`; `corrupted` when its record is damaged or not root's.
 */
export function imageByID(layout: Layout, id: ImageID): ImageRecord {
  const reading = readRecord(layout, id)
  if (reading === undefined) throw new RktError('not-found', `no image IDs found: ${quote(id)}`)
  if (reading.kind === 'image') return reading.record
  if (reading.kind === 'corrupted') throw reading.error
  throw new RktError('corrupted', `cannot use image ${quote(id)}: its record cannot be trusted: ${reading.fault}`, { hint: 'fetch the image again as root' })
}

export interface NameQuery {
  readonly name: ACIdentifier
  /** Labels that the image must carry with just these values. */
  readonly labels: readonly Label[]
  /** Operating system and architecture that are wanted when `labels` does not say; undefined takes any. */
  readonly platform?: { readonly os: string; readonly arch: string }
  readonly log: Log
}

/**
 * The image of this name and these labels that was imported last; undefined when there is none. A name without a host that nothing has
 * is taken as container tools take it.
 */
export function imageByName(layout: Layout, query: NameQuery): ImageRecord | undefined {
  const found = imageNamed(layout, query)
  const hub = found === undefined ? hubIdentifier(query.name) : undefined
  if (hub === undefined) return found
  const known = imageNamed(layout, { ...query, name: hub })
  return known?.kind === 'oci' ? known : undefined
}

function imageNamed(layout: Layout, query: NameQuery): ImageRecord | undefined {
  const wanted = query.platform === undefined ? query.labels : withPlatform(query.labels, query.platform)
  let best: ImageRecord | undefined
  for (const stored of usableRecords(readRecordsWith(layout, JSON.stringify(query.name)), query.log)) {
    const record = stored.kind === 'oci' ? asNamed(stored, query.name, wanted) : stored
    if (record === undefined || record.name !== query.name || !carries(record, wanted)) continue
    if (best === undefined || record.importedAtMs > best.importedAtMs) best = record
  }
  return best
}

/** An OCI image under the name that is asked for, when it is one of its names. */
function asNamed(record: OciRecord, name: ACIdentifier, wanted: readonly Label[]): OciRecord | undefined {
  if (record.name === name && carries(record, wanted)) return record
  const other = record.also.find((candidate) => candidate.name === name && carries(candidate, wanted))
  return other === undefined ? undefined : underName(record, other)
}

/** The labels, with those of the platform that they do not say. */
export function withPlatform(labels: readonly Label[], platform: { readonly os: string; readonly arch: string }): readonly Label[] {
  const missing = Object.entries(platform).filter(([name]) => !labels.some((label) => label.name === name))
  return [...labels, ...missing.map(([name, value]) => ({ name: parseACIdentifier(name), value }))]
}

function carries(record: Pick<ImageRecord, 'labels'>, wanted: readonly { readonly name: string; readonly value: string }[]): boolean {
  return wanted.every(({ name, value }) => record.labels.some((label) => label.name === name && label.value === value))
}
