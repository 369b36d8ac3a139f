import { quote, RktError } from '../../base/index.ts'
import type { HttpResponse } from '../http.ts'

/** The whole body of a small answer. @throws RktError `limit-exceeded` as soon as there is more than `maxBytes`. */
export async function readBounded(response: HttpResponse, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.byteLength
    if (length > maxBytes) throw new RktError('limit-exceeded', `cannot fetch ${quote(response.url)}: expected at most ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
