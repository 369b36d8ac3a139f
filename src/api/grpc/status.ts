import { escapeText, RktError, type ErrorCode } from '../../base/index.ts'

/** Status codes of gRPC that this server gives. */
export const status = { ok: 0, cancelled: 1, invalidArgument: 3, deadlineExceeded: 4, notFound: 5, resourceExhausted: 8, unimplemented: 12, internal: 13, unavailable: 14 } as const

/** How a call ended. */
export interface CallStatus {
  readonly code: number
  readonly message: string
}

const codes: Partial<Readonly<Record<ErrorCode, number>>> = {
  usage: status.invalidArgument,
  ambiguous: status.invalidArgument,
  'invalid-reference': status.invalidArgument,
  'not-found': status.notFound,
  'limit-exceeded': status.resourceExhausted,
  timeout: status.deadlineExceeded,
  cancelled: status.cancelled,
  busy: status.unavailable,
}

/** What a client is told of a failure; undefined for one that is ours, of which it learns nothing: it may name files of the host. */
export function statusOf(error: unknown): CallStatus | undefined {
  if (!(error instanceof RktError)) return undefined
  const code = codes[error.code]
  // ATTACK: a message holds what the client has sent; headers that are too long would end the connection.
  return code === undefined ? undefined : { code, message: escapeText(error.message.slice(0, messageLength)) }
}

const messageLength = 512

/** SPEC: gRPC over HTTP/2, Percent-Encoded. */
export function encodeMessage(message: string): string {
  return [...Buffer.from(message)].map((byte) => (byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)).join('')
}
