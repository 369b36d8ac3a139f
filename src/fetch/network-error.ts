import { quote, RktError } from '../base/index.ts'

export interface NetworkErrorContext {
  readonly url: string
  readonly signal: AbortSignal
  /** How much of the body had come. */
  readonly doneBytes?: number
  readonly announced?: number | undefined
}

/** Errors of OpenSSL and of Node's own comparison of host names. */
const tlsPattern = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|EPROTO)/

/** Turns what a socket reports into one of our failures; an abort keeps its own reason. */
export function networkError(error: unknown, context: NetworkErrorContext): unknown {
  if (context.signal.aborted) return context.signal.reason
  if (error instanceof RktError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const text = error instanceof Error ? error.message : String(error)
  if (tlsPattern.test(code)) {
    return new RktError('tls', `cannot fetch ${quote(context.url)}: the server's certificate or handshake is not accepted: ${text}`, { cause: error })
  }
  if (context.doneBytes !== undefined) {
    const expected = context.announced === undefined ? '' : `; expected ${context.announced}`
    return new RktError('network', `cannot fetch ${quote(context.url)}: the connection ended after ${context.doneBytes} bytes${expected}`, {
      cause: error,
      hint: 'run the command again: it goes on where the server allows it',
    })
  }
  return new RktError('network', `cannot fetch ${quote(context.url)}: ${text}`, { cause: error })
}
