import type { ReceiveUrlOptions } from '../fetch/index.ts'
import type { AcquireOptions } from './acquire.ts'

/** What every request of an acquisition shares. */
export function httpOptions(options: AcquireOptions): Omit<ReceiveUrlOptions, 'into' | 'partials'> {
  const { signal, log, insecure, userAgent = 'rkt', caFiles = [], credentials } = options
  return { signal, log, insecure, userAgent, caFiles, ...(credentials === undefined ? {} : { credentials }) }
}
