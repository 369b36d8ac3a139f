import { limits, quote, RktError } from '../base/index.ts'
import { expectOK, get, type HttpOptions } from './http.ts'

/**
 * Downloads a file of public keys; nobody trusts them before a person has compared their fingerprints.
 *
 * @throws RktError `http-status`, `limit-exceeded`, and as `get`.
 */
export async function receivePublicKeys(url: string, options: HttpOptions): Promise<Uint8Array> {
  using response = await get(url, options)
  expectOK(response)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.byteLength
    if (length > limits.keyBytes) throw new RktError('limit-exceeded', `cannot use public keys at ${quote(url)}: expected at most ${limits.keyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
