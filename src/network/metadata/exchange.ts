import type { IncomingMessage } from 'node:http'
import { isRktError, limits } from '../../base/index.ts'

/** What the service answers. */
export interface Reply {
  readonly status: number
  readonly type?: string
  readonly body?: string | Uint8Array
}

/** A request that is answered with a status and no more. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number) {
    super(`status ${status}`)
    this.status = status
  }
}

export const textType = 'text/plain; charset=us-ascii'
export const jsonType = 'application/json'

/** The path of a request, cut at its slashes; percent signs are decoded within one part. */
export function pathOf(request: IncomingMessage): { readonly parts: readonly string[]; readonly query: URLSearchParams } {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  try {
    return { parts: path.split('/').slice(1).map(decodeURIComponent), query: new URLSearchParams(query) }
  } catch (error) {
    if (error instanceof URIError) throw new Refusal(400)
    throw error
  }
}

/**
 * The body of a request.
 *
 * @throws Refusal 413 when it is longer than `maxBytes`.
 */
export async function readBody(request: IncomingMessage, maxBytes: number = limits.jsonBytes): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    // SAFETY: a request without an encoding gives buffers.
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.byteLength
    if (size > maxBytes) throw new Refusal(413)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** What `read` gives, or a refusal with this status when the client's words are at fault. */
export function orRefuse<T>(status: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isRktError(error)) throw new Refusal(status)
    throw error
  }
}
