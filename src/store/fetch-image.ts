import { receiveFile, receiveUrl, signatureURL, type CacheFacts } from '../fetch/index.ts'
import type { AcquiringOptions } from './acquire.ts'
import { writeRecord } from './commit.ts'
import { findSignature, finishSignature, hashesFor, type FoundSignature } from './find-signature.ts'
import { httpOptions } from './http-options.ts'
import { importImage, type ImportOptions } from './import-image.ts'
import { judgeAci } from './judge-stored.ts'
import { takeLock } from './locks.ts'
import type { AciRecord } from './record.ts'
import { readAci } from './records.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import type { ImageSource } from './source.ts'

/** Receives an image file with its signature and stores it. @throws RktError of receiving, trust, or the archive. */
export async function fetchFile(path: string, options: AcquiringOptions): Promise<AciRecord> {
  const beside = `${path}.asc`
  const found = await findSignature(beside, options)
  using scratch = makeScratch(options.store.layout)
  const blob = await receiveFile(path, { into: scratch.path, ...receiving(found, options) })
  const signature = await finishSignature(found, beside, options)
  return await importImage(options.store, blob, importing({ scratch, signature, source: { kind: 'file', path }, object: path }, options))
}

export interface FetchUrlOptions extends AcquiringOptions {
  readonly stored?: AciRecord
  /** Where the signature is, when not at the image's URL with `.asc`. */
  readonly beside?: string
}

/**
 * Downloads an image with its signature and stores it; `stored` is an image of this URL that the server may still have.
 *
 * @throws RktError of receiving, trust, or the archive.
 */
export async function fetchUrl(url: string, options: FetchUrlOptions): Promise<AciRecord> {
  const { stored, store, log, insecure, beside = signatureURL(url) } = options
  if (insecure.tls) log.notice('image', 'warning: TLS verification has been disabled')
  const found = await findSignature(beside, options)
  using scratch = makeScratch(store.layout)
  log.debug('image', `fetching image from ${url}`)
  const knownETag = stored?.source.kind === 'url' ? stored.source.etag : undefined
  const answer = await receiveUrl(url, {
    ...httpOptions(options),
    ...receiving(found, options),
    into: scratch.path,
    partials: store.layout.scratch,
    ...(knownETag === undefined ? {} : { knownETag }),
  })
  const source = sourceOf(url, { cache: answer.cache, now: options.now })
  if (answer.kind === 'received') {
    const signature = await finishSignature(found, beside, options)
    return await importImage(store, answer.blob, importing({ scratch, signature, source, object: url }, options))
  }
  if (stored === undefined) throw new Error('receiveUrl() answers "not modified" only when it is given a tag')
  const judged = await judgeAci(store.layout, stored, options)
  return await keepSource(judged, { scratch, source, options })
}

/** Remembers when the server was asked last. */
async function keepSource(
  record: AciRecord,
  { scratch, source, options }: { readonly scratch: Scratch; readonly source: ImageSource; readonly options: AcquiringOptions },
): Promise<AciRecord> {
  const { layout } = options.store
  using _lock = await takeLock(layout, { kind: 'image', id: record.id }, options.signal)
  const reading = readAci(layout, record.id)
  if (reading === undefined || reading.ownerUid !== process.geteuid?.() || reading.record.blob !== record.blob) return record
  return writeRecord(layout, { scratch, record: { ...reading.record, source } })
}

function sourceOf(url: string, { cache, now }: { readonly cache: CacheFacts; readonly now: Date }): ImageSource {
  return { kind: 'url', url, ...(cache.etag === undefined ? {} : { etag: cache.etag }), maxAgeSeconds: cache.maxAgeSeconds, askedAtMs: now.getTime() }
}

function receiving(found: FoundSignature, { signal, onProgress }: AcquiringOptions): Omit<Parameters<typeof receiveFile>[1], 'into'> {
  const hashes = hashesFor(found)
  return { signal, ...(onProgress === undefined ? {} : { onProgress }), ...(hashes === undefined ? {} : { hashes }) }
}

function importing(
  given: Pick<ImportOptions, 'scratch' | 'signature' | 'source' | 'object'>,
  { keystore, expect, now, signal, log, onProgress }: AcquiringOptions,
): ImportOptions {
  return { ...given, keystore, expect, now, signal, log, ...(onProgress === undefined ? {} : { onProgress }) }
}
