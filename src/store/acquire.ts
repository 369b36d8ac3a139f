import { existsSync } from 'node:fs'
import { isRktError, quote, RktError, unreachable, type Log } from '../base/index.ts'
import { discoverImage, formatName, parseReference, type Credentials, type ImageEndpoint, type LookasideMap, type OnProgress, type Reference, type RegistryLogins } from '../fetch/index.ts'
import { hostPlatform, type Dependency } from '../spec/index.ts'
import type { Keystore } from '../trust/index.ts'
import { requireAci } from './blob.ts'
import { checkExpectation, type Expectation } from './check-manifest.ts'
import { imageByID, imageByName, resolveID, withPlatform } from './find.ts'
import { fetchFile, fetchUrl } from './fetch-image.ts'
import { httpOptions } from './http-options.ts'
import { reportingDisk } from './io-error.ts'
import { judgeStored } from './judge-stored.ts'
import type { AciRecord, ImageRecord } from './record.ts'
import { readRecord, readRecordsWith, usableRecords } from './records.ts'
import { resolveLayers, walkChain } from './resolve-layers.ts'
import type { Store } from './store.ts'
import { trustFromHttps } from './trust-from-https.ts'
import { warnOfOlder } from './warn-of-older.ts'

/** `never` uses the store alone, `new` fetches what is not there, `update` asks the origin again. */
export type PullPolicy = 'never' | 'new' | 'update'

export interface AcquireOptions {
  readonly store: Store
  readonly keystore: Keystore
  /** Against which relative paths are read. */
  readonly cwd: string
  readonly pullPolicy: PullPolicy
  /** What the user allowed with `--insecure-options`. */
  readonly insecure: { readonly image: boolean; readonly tls: boolean; readonly http: boolean }
  /** File or URL of the signature, instead of the `.asc` beside the image. */
  readonly signaturePath?: string
  /** `NAME[:VERSION][,LABEL=VALUE…]` that the image must turn out to be. */
  readonly expectName?: string
  readonly now: Date
  readonly signal: AbortSignal
  readonly log: Log
  readonly onProgress?: OnProgress
  readonly userAgent?: string
  readonly caFiles?: readonly string[]
  /** For the hosts that are asked. */
  readonly credentials?: Credentials
  /** For the registries that are asked. */
  readonly logins?: RegistryLogins
  /** Where signatures of images are kept apart from their registries. */
  readonly lookaside?: LookasideMap
  /** Whether keys that discovery finds over https are trusted for a name for which nobody has decided anything. */
  readonly trustKeysFromHttps?: boolean
}

/**
 * The stored image behind what a user wrote, fetched first when the policy wants it, and in any case judged now: only what this
 * returns may be run.
 *
 * @throws RktError with what is missing, refused or damaged.
 */
export async function acquireImage(text: string, options: AcquireOptions): Promise<ImageRecord> {
  const reference = parseReference(text, { cwd: options.cwd })
  const expect = expectationOf(options)
  const acquiring = { ...options, ...(expect === undefined ? {} : { expect }) }
  const record = await reportingDisk('store image', { object: text, run: async () => withLayers(await acquire(reference, acquiring), options) })
  if (expect !== undefined) checkExpectation(record, expect)
  options.store.touch(record.id, options.now)
  return record
}

export interface AcquiringOptions extends AcquireOptions {
  readonly expect?: Expectation
}

/** Dependencies are asked for like images that a user names, but from the origin only when they are not there. */
async function withLayers(record: ImageRecord, options: AcquireOptions): Promise<ImageRecord> {
  if (record.kind === 'oci') return record
  const { signaturePath: _signature, expectName: _name, ...rest } = options
  const own: AcquireOptions = { ...rest, pullPolicy: options.pullPolicy === 'never' ? 'never' : 'new' }
  return await resolveLayers(options.store, record, {
    signal: options.signal,
    acquire: async (dependency) => {
      const stored = storedDependency(dependency, options.store)
      const { imageName, labels } = dependency
      return requireAci(stored === undefined ? await acquireName({ kind: 'name', name: imageName, labels }, own) : await judgeStored(options.store.layout, stored, own))
    },
  })
}

/**
 * What a stored image depends on, as the next run would find it in the store: each once, the nearest first. None is judged or fetched.
 *
 * @throws RktError `not-found` for one that is not stored, and what is wrong with the chain.
 */
export async function storedDependencies(store: Store, record: ImageRecord, { signal }: { readonly signal: AbortSignal }): Promise<ImageRecord[]> {
  if (record.kind === 'oci') return []
  const chain = await walkChain(store, record, {
    signal,
    acquire: async (dependency) => {
      const stored = storedDependency(dependency, store)
      if (stored !== undefined) return requireAci(stored)
      throw new RktError('not-found', `cannot find image ${quote(formatName(dependency.imageName, dependency.labels))} in the store, on which ${quote(record.name)} depends`)
    },
  })
  return chain.filter(({ id }, index) => id !== record.id && chain.findIndex((other) => other.id === id) === index)
}

/** By ID when the manifest says one; else by name, for this machine if there is such an image, and of any platform if not. */
function storedDependency({ imageID, imageName, labels }: Dependency, { layout, log }: Store): ImageRecord | undefined {
  if (imageID !== undefined) return readRecord(layout, imageID) === undefined ? undefined : imageByID(layout, imageID)
  const query = { name: imageName, labels, log }
  return imageByName(layout, { ...query, platform: hostPlatform(process.arch) }) ?? imageByName(layout, query)
}

async function acquire(reference: Reference, options: AcquiringOptions): Promise<ImageRecord> {
  switch (reference.kind) {
    case 'hash':
      return await acquireHash(reference.text, options)
    case 'file':
      options.log.debug('image', `using image from file ${reference.path}`)
      // Told before the signature, which is looked for first, is missed beside it.
      if (!existsSync(reference.path)) throw new RktError('not-found', `cannot open image file ${quote(reference.path)}: ENOENT: no such file or directory`)
      return await fetchFile(reference.path, options)
    case 'url':
      return await acquireUrl(reference.url, asWritten(reference.url, options))
    case 'name':
      return await acquireName(reference, options)
    case 'oci':
      return await (await import('./oci/acquire.ts')).acquireOci(reference.source, options)
    default:
      return unreachable(reference)
  }
}

async function acquireHash(text: string, options: AcquiringOptions): Promise<ImageRecord> {
  const { layout } = options.store
  const id = resolveID(layout, text)
  options.log.debug('image', `using image from the store with hash ${id}`)
  return judgeStored(layout, imageByID(layout, id), options)
}

/** A user who writes `http://` himself means it: the signature protects the image. Without `http` waived, credentials stay at home. */
function asWritten(url: string, options: AcquiringOptions): AcquiringOptions {
  if (options.insecure.http || !url.startsWith('http:')) return options
  const { credentials: _secret, ...rest } = options
  return { ...rest, insecure: { ...options.insecure, http: true } }
}

async function acquireUrl(url: string, options: AcquiringOptions): Promise<ImageRecord> {
  const { store, log, pullPolicy } = options
  const stored = latestOfUrl(store, url)
  if (stored !== undefined && pullPolicy !== 'update') {
    log.debug('image', `using image from local store for url ${url}`)
    return judgeStored(store.layout, stored, options)
  }
  if (pullPolicy === 'never') throw notFound(`URL ${quote(url)}`)
  const record = await fetchRemote(url, options)
  warnOfOlder(record, stored, log)
  return record
}

/** Asks the server, unless it said that what is stored will do until later. */
async function fetchRemote(url: string, options: AcquiringOptions & { readonly beside?: string }): Promise<ImageRecord> {
  const { store, log } = options
  const stored = latestOfUrl(store, url)
  if (stored !== undefined && isFresh(stored, options.now)) {
    log.debug('image', `image for ${url} isn't expired, not fetching.`)
    return judgeStored(store.layout, stored, options)
  }
  log.debug('image', `remote fetching from URL ${quote(url)}`)
  return fetchUrl(url, stored === undefined ? options : { ...options, stored })
}

async function acquireName({ name, labels }: Reference & { readonly kind: 'name' }, options: AcquiringOptions): Promise<ImageRecord> {
  const { store, log, pullPolicy } = options
  const words = formatName(name, labels)
  log.debug('image', `searching for app image ${name}`)
  const platform = hostPlatform(process.arch)
  const stored = pullPolicy === 'update' ? undefined : imageByName(store.layout, { name, labels, platform, log })
  if (stored !== undefined) {
    log.debug('image', `using image from local store for image name ${words}`)
    return judgeStored(store.layout, stored, options)
  }
  if (pullPolicy === 'never') throw notFound(`image name ${quote(words)}`)
  return fetchName({ name, labels: withPlatform(labels, platform) }, { ...options, words })
}

/** Fetches what discovery finds; name and labels of what arrives must be those that were asked for. */
async function fetchName(wanted: Expectation, options: AcquiringOptions & { readonly words: string }): Promise<ImageRecord> {
  const endpoint = await findEndpoint(wanted, options)
  if (options.trustKeysFromHttps === true && !options.insecure.image) await trustFromHttps(wanted.name, options)
  const { store, log } = options
  const before = imageByName(store.layout, { ...wanted, log })
  const record = await fetchRemote(endpoint.image, { ...options, expect: wanted, beside: endpoint.signature })
  checkExpectation(record, wanted)
  warnOfOlder(record, before, log)
  return record
}

async function findEndpoint(wanted: Expectation, options: AcquiringOptions & { readonly words: string }): Promise<ImageEndpoint> {
  try {
    return await discoverImage(wanted, httpOptions(options))
  } catch (cause) {
    throw isRktError(cause, 'not-found') ? notFound(`image name ${quote(options.words)}`, cause) : cause
  }
}

function latestOfUrl(store: Store, url: string): AciRecord | undefined {
  const records = usableRecords(readRecordsWith(store.layout, JSON.stringify(url)), store.log)
  const found = records.filter((record): record is AciRecord => record.source.kind === 'url' && record.source.url === url)
  return found.reduce<AciRecord | undefined>((best, record) => (best !== undefined && best.importedAtMs >= record.importedAtMs ? best : record), undefined)
}

function isFresh({ source }: AciRecord, now: Date): boolean {
  if (source.kind !== 'url') return false
  const ageMs = now.getTime() - source.askedAtMs
  return ageMs >= 0 && ageMs < source.maxAgeSeconds * 1000
}

function expectationOf({ expectName }: AcquireOptions): Expectation | undefined {
  if (expectName === undefined) return undefined
  const reference = parseReference(expectName, { cwd: '/' })
  if (reference.kind !== 'name') throw new RktError('usage', `cannot expect ${quote(expectName)}: it is not an image name`)
  return reference
}

/** The original's words. */
function notFound(what: string, cause?: RktError): RktError {
  return new RktError(
    'not-found',
    `unable to fetch image from ${what}: either image was not found in the store or store was disabled and fetching from remote yielded nothing or it was disabled`,
    { hint: cause?.message ?? 'name the image by file or by https URL', cause },
  )
}
