import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { errorText, isErrno, limits, quote, RktError } from '../base/index.ts'
import { expectOK, get, type HttpOptions } from './http.ts'

/**
 * Reads a detached signature from a file, with the original's words for a missing one.
 *
 * @throws RktError `signature-missing`, `io`, `limit-exceeded`.
 */
export async function readSignatureFile(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    const stat = await file.stat()
    if (!stat.isFile()) throw new RktError('io', `cannot use signature file ${quote(path)}: it is not a regular file`)
    const buffer = Buffer.alloc(limits.signatureBytes + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.byteLength - length, length)
      if (bytesRead === 0) return buffer.subarray(0, length)
      length += bytesRead
      if (length > limits.signatureBytes) throw tooLarge(path)
    }
  } catch (cause) {
    if (cause instanceof RktError) throw cause
    throw new RktError(isErrno(cause, 'ENOENT', 'ENOTDIR') ? 'signature-missing' : 'io', `error opening signature file ${quote(path)}: ${errorText(cause)}`, {
      cause,
      hint: `put the detached signature at ${quote(path)}, or name it with --signature=FILE`,
    })
  }
}

export type SignatureAnswer = { readonly kind: 'bytes'; readonly bytes: Uint8Array } | { readonly kind: 'deferred' }

/**
 * Downloads a detached signature; `deferred` when the server asks to come back after the image (status 202).
 *
 * @throws RktError `signature-missing` when the server has none, and as `get`.
 */
export async function receiveSignature(url: string, options: HttpOptions): Promise<SignatureAnswer> {
  options.log.debug('image', `downloading signature from ${url}`)
  using response = await get(url, options)
  if (response.status === 202) return { kind: 'deferred' }
  try {
    expectOK(response)
  } catch (cause) {
    if (!(cause instanceof RktError)) throw cause
    throw new RktError('signature-missing', `error downloading the signature file ${quote(url)}: ${cause.message}`, {
      cause,
      hint: 'name a signature with --signature=FILE when the server has none',
    })
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.byteLength
    if (length > limits.signatureBytes) throw tooLarge(url)
    chunks.push(chunk)
  }
  return { kind: 'bytes', bytes: Buffer.concat(chunks) }
}

/** Where the signature of an image URL is published. */
export function signatureURL(imageURL: string): string {
  const url = new URL(imageURL)
  url.pathname += '.asc'
  return url.href
}

function tooLarge(where: string): RktError {
  return new RktError('limit-exceeded', `cannot use signature ${quote(where)}: expected at most ${limits.signatureBytes} bytes`)
}
