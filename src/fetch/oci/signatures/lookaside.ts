import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { digestParts, errorText, isErrno, limits, quote, RktError, type Digest } from '../../../base/index.ts'
import type { DockerReference } from '../../../spec/index.ts'
import { get, type HttpOptions } from '../../http.ts'
import { startDeadline } from '../deadline.ts'
import { readBounded } from '../read-bounded.ts'
import type { FoundSignatures } from './found.ts'

/** Where the signatures of an image's repository are kept apart from it, by configuration. */
export interface LookasideMap {
  /** A `file:` or `https:` URL; undefined when the configuration says nothing. */
  find(reference: DockerReference): string | undefined
  /** The `file:` URL to which new signatures are written. */
  findWrite(reference: DockerReference): string | undefined
}

/** The place of signature `number`, counted from one. SPEC: containers/image docs/signature-protocols.md. */
export function lookasideURL(base: string, { reference, digest, number }: { readonly reference: DockerReference; readonly digest: Digest; readonly number: number }): URL {
  const { algorithm, hex } = digestParts(digest)
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${reference.repository}@${algorithm}=${hex}/signature-${number}`
  return url
}

export interface LookasideOptions {
  readonly base: string
  readonly reference: DockerReference
  readonly found: FoundSignatures
  readonly http: HttpOptions
}

/**
 * Signatures one after the other until there is none.
 *
 * @throws RktError of receiving, `io`, `policy-refused` for plain http, `limit-exceeded`.
 */
export async function findLookaside(digest: Digest, { base, reference, found, http }: LookasideOptions): Promise<void> {
  using deadline = startDeadline(http.signal, { what: base, ms: limits.registryDocumentMs })
  for (let number = 1; !found.full && number <= limits.imageSignatures; number += 1) {
    const url = lookasideURL(base, { reference, digest, number })
    const bytes = url.protocol === 'file:' ? await readFile(fileURLToPath(url)) : await download(url, { ...http, signal: deadline.signal })
    if (bytes === undefined) return
    found.add({ form: 'simple-signing', place: url.href, bytes })
  }
}

async function readFile(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    const buffer = Buffer.alloc(limits.signatureBytes + 1)
    if (!(await file.stat()).isFile()) throw new RktError('io', `cannot use signature ${quote(path)}: it is not a regular file`)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.byteLength - length, length)
      if (bytesRead === 0) return buffer.subarray(0, length)
      length += bytesRead
      if (length > limits.signatureBytes) throw new RktError('limit-exceeded', `cannot use signature ${quote(path)}: expected at most ${limits.signatureBytes} bytes`)
    }
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined
    if (cause instanceof RktError) throw cause
    throw new RktError('io', `cannot read signature ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}

async function download(url: URL, http: HttpOptions): Promise<Uint8Array | undefined> {
  using response = await get(url.href, http)
  if (response.status === 404 || response.status === 403) return undefined
  if (response.status !== 200) throw new RktError('http-status', `cannot fetch signature ${quote(url.href)}: bad HTTP status code: ${response.status}`)
  return await readBounded(response, { maxBytes: limits.signatureBytes })
}
