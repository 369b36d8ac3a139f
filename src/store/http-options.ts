import type { ReceiveUrlOptions, RegistryLogins } from '../fetch/index.ts'
import type { AcquireOptions } from './acquire.ts'

/** What every request of an acquisition shares. */
export function httpOptions(options: AcquireOptions): Omit<ReceiveUrlOptions, 'into' | 'partials'> & { readonly logins?: RegistryLogins } {
  const { signal, log, insecure, userAgent = 'rkt', caFiles = [], credentials, logins } = options
  return { signal, log, insecure, userAgent, caFiles, ...(credentials === undefined ? {} : { credentials }), ...(logins === undefined ? {} : { logins }) }
}
