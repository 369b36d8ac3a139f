import type { IncomingHttpHeaders } from 'node:http'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, errorText, limits, quote, RktError, unverified, type Hashes, type ReceivedBlob, type Unverified } from '../base/index.ts'
import { blockWriter } from './block-writer.ts'
import { copyHashing } from './copy.ts'
import { digestsOf, startHashes, type HashAlgorithm } from './hashing.ts'
import { contentLength, expectOK, get, type HttpOptions, type HttpResponse } from './http.ts'
import { openPartial, type Partial, type Validator } from './partial.ts'
import type { OnProgress } from './progress.ts'

/** What the server said about keeping the image; stored with it, compared at the next update. */
export interface CacheFacts {
  readonly etag: string | undefined
  readonly maxAgeSeconds: number
}

export interface ReceiveUrlOptions extends HttpOptions {
  /** A scratch directory of the caller; the download becomes its file `blob`. */
  readonly into: string
  /** Where interrupted downloads wait for the next attempt. */
  readonly partials: string
  readonly onProgress?: OnProgress
  /** Algorithms that the signature uses, when it is already known. */
  readonly hashes?: ReadonlySet<HashAlgorithm>
  /** The tag of what is stored: an equal one on the server ends the download before it begins. */
  readonly knownETag?: string
}

export type UrlAnswer =
  | { readonly kind: 'received'; readonly blob: Unverified<ReceivedBlob>; readonly cache: CacheFacts }
  | { readonly kind: 'not-modified'; readonly cache: CacheFacts }

/**
 * Downloads an image in one pass: hashed while it is written, resumed where an earlier attempt ended when the server can prove that
 * it still has the same file.
 *
 * @throws RktError `network`, `http-status`, `tls`, `timeout`, `limit-exceeded`, `policy-refused`, `io`.
 */
export async function receiveUrl(url: string, options: ReceiveUrlOptions): Promise<UrlAnswer> {
  using partial = openPartial(options.partials, url)
  const blobPath = join(options.into, 'blob')
  await using file = await open(partial?.path ?? blobPath, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o640)
  using response = await request(url, { options, partial })
  const cache = cacheFacts(response.headers)
  if (response.status === 304 && options.knownETag !== undefined) return { kind: 'not-modified', cache }
  options.log.debug('image', 'downloading ACI')
  const hashes = startHashes(options.hashes)
  const startBytes = await begin(response, { url, partial, file, hashes, options })
  const sizeBytes = await append(response, { url, startBytes, file, hashes, options })
  partial?.finish(blobPath)
  return { kind: 'received', blob: unverified({ path: blobPath, sizeBytes, digests: digestsOf(hashes), hashes }), cache }
}

interface Asking {
  readonly options: ReceiveUrlOptions
  readonly partial: Partial | undefined
}

async function request(url: string, { options, partial }: Asking): Promise<HttpResponse> {
  const headers: Record<string, string> = {}
  if (options.knownETag !== undefined) headers['If-None-Match'] = options.knownETag
  const resumable = partial?.validator !== undefined && partial.sizeBytes > 0
  if (!resumable) return get(url, { ...options, headers })
  const { ifRange } = partial.validator
  const response = await get(url, { ...options, headers: { ...headers, Range: `bytes=${partial.sizeBytes}-`, 'If-Range': ifRange } })
  if (response.status === 206 || response.status === 200 || response.status === 304) return response
  response[Symbol.dispose]()
  partial.restart()
  return get(url, { ...options, headers })
}

interface Receiving {
  readonly url: string
  readonly file: FileHandle
  readonly hashes: Hashes
  readonly options: ReceiveUrlOptions
}

/** Decides where the body belongs; for a resumed download the part that is there is hashed first. Returns that position. */
async function begin(response: HttpResponse, target: Receiving & { readonly partial: Partial | undefined }): Promise<number> {
  const { url, partial, file, hashes, options } = target
  if (response.status === 206 && partial?.validator !== undefined) {
    const expected = `bytes ${partial.sizeBytes}-${partial.validator.totalBytes - 1}/${partial.validator.totalBytes}`
    const given = response.headers['content-range']
    if (given !== expected) {
      partial.restart()
      throw new RktError('network', `cannot resume ${quote(url)}: the server sent range ${quote(given ?? '')}; expected ${quote(expected)}`)
    }
    options.log.debug('image', `resuming download of ${url} at byte ${partial.sizeBytes}`)
    return copyHashing({ from: file, to: undefined, hashes, signal: options.signal })
  }
  expectOK(response)
  partial?.restart()
  const validator = validatorOf(response.headers)
  if (validator !== undefined) partial?.remember(validator)
  return 0
}

async function append(response: HttpResponse, target: Receiving & { readonly startBytes: number }): Promise<number> {
  const { url, file, hashes, options, startBytes } = target
  const rest = contentLength(response.headers)
  const totalBytes = rest === undefined ? undefined : startBytes + rest
  if ((totalBytes ?? 0) > limits.blobBytes) throw tooLarge(url)
  const writer = blockWriter(file, { startBytes, hashes })
  let doneBytes = startBytes
  try {
    try {
      for await (const chunk of response.body) {
        if (doneBytes + chunk.byteLength > limits.blobBytes) throw tooLarge(url)
        await writer.add(chunk)
        doneBytes += chunk.byteLength
        options.onProgress?.({ phase: 'download', doneBytes, totalBytes })
      }
    } finally {
      await writer.flush()
    }
  } catch (cause) {
    if (!isErrno(cause, 'EIO', 'ENOSPC', 'EDQUOT', 'EFBIG')) throw cause
    throw new RktError('io', `cannot store download of ${quote(url)}: ${errorText(cause)}`, { cause })
  }
  return doneBytes
}

/** RFC 9110 §8.8: a weak ETag and a fresh date do not prove that bytes are the same. */
function validatorOf(headers: IncomingHttpHeaders): Validator | undefined {
  const totalBytes = contentLength(headers)
  if (totalBytes === undefined || headers['accept-ranges'] !== 'bytes') return undefined
  const { etag } = headers
  if (etag !== undefined && /^"[^"]*"$/.test(etag)) return { ifRange: etag, totalBytes }
  const modified = headers['last-modified']
  const age = Date.parse(headers.date ?? '') - Date.parse(modified ?? '')
  return modified !== undefined && age >= 60_000 ? { ifRange: modified, totalBytes } : undefined
}

function cacheFacts(headers: IncomingHttpHeaders): CacheFacts {
  const control = headers['cache-control'] ?? ''
  const age = /(?:^|[\s,])max-age=([0-9]{1,9})(?:[\s,]|$)/i.exec(control)?.[1]
  const usable = age !== undefined && !/no-store|no-cache/i.test(control)
  const etag = headers.etag !== undefined && headers.etag.length <= 256 ? headers.etag : undefined
  return { etag, maxAgeSeconds: usable ? Number(age) : 0 }
}

function tooLarge(url: string): RktError {
  return new RktError('limit-exceeded', `cannot fetch ${quote(url)}: expected at most ${limits.blobBytes} bytes`)
}
