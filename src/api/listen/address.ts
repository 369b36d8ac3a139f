import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { quote, RktError } from '../../base/index.ts'

/** Where to listen. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'path'; readonly path: string }
  /** A listening socket that the supervisor has opened. */
  | { readonly kind: 'descriptor'; readonly fd: number }

/**
 * The addresses that a user writes as `HOST:PORT`, `[IPV6]:PORT`, `unix:/PATH`, or `/PATH`. The name `localhost` is both loopback
 * addresses, whatever a resolver says.
 *
 * @throws RktError `usage`.
 */
export function parseListenAddress(text: string): readonly ListenAddress[] {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text
  if (isAbsolute(path)) return [{ kind: 'path', path }]
  const [, bracketed, plain = bracketed, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (plain === undefined || digits === undefined || port > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    throw new RktError('usage', `cannot listen on ${quote(text)}: expected HOST:PORT or unix:/PATH`)
  }
  const hosts = plain === 'localhost' ? ['127.0.0.1', '::1'] : [plain === '' ? '::' : plain]
  return hosts.map((host) => ({ kind: 'tcp', host, port }))
}
