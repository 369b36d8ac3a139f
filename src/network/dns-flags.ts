import { isIP } from 'node:net'
import { escapeText, RktError } from '../base/index.ts'
import type { DnsSettings } from './cni-result.ts'

/** Where a pod's `/etc/resolv.conf` comes from. */
export type DnsRequest =
  /** First network with resolvers, else the volume or the image. */
  | { readonly kind: 'default' }
  /** A copy of the host's. */
  | { readonly kind: 'host' }
  /** The volume or the image only. */
  | { readonly kind: 'none' }
  | { readonly kind: 'given'; readonly settings: DnsSettings }

export interface DnsFlags {
  /** Values of `--dns`: addresses, comma lists of them, `host` or `none`. */
  readonly dns: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
  readonly domain?: string
}

/**
 * Parses `--dns`, `--dns-search`, `--dns-opt` and `--dns-domain`.
 *
 * @throws RktError `usage`.
 */
export function parseDnsFlags(flags: DnsFlags): DnsRequest {
  const { search, options, domain = '' } = flags
  const special = flags.dns.find((value): value is 'host' | 'none' => value === 'host' || value === 'none')
  const details = search.length + options.length > 0 || domain !== ''
  if (special !== undefined) {
    if (flags.dns.length > 1) throw dnsError(`no other --dns options allowed when --dns=${special} is passed`)
    if (details) throw dnsError(`Cannot call --dns-opt, --dns-search, or --dns-domain with --dns=${special}`)
    return { kind: special }
  }
  if (flags.dns.length === 0 && !details) return { kind: 'default' }
  const nameservers = flags.dns.flatMap((value) => value.split(','))
  for (const server of nameservers) {
    if (isIP(server) === 0) throw dnsError(`Invalid IP passed to --dns: ${escapeText(server)}`)
  }
  for (const [flag, values] of Object.entries({ 'dns-search': search, 'dns-opt': options, 'dns-domain': domain === '' ? [] : [domain] })) {
    for (const value of values) {
      if (!/^[^\s\p{Cc}]+$/u.test(value)) throw dnsError(`Invalid value passed to --${flag}: ${escapeText(value)}`)
    }
  }
  return { kind: 'given', settings: { nameservers, search, options, ...(domain === '' ? {} : { domain }) } }
}

/** A failure of the flags that make `/etc/resolv.conf` and `/etc/hosts`, with the prefix of the original. */
export function dnsError(text: string): RktError {
  return new RktError('usage', `error with dns flags: ${text}`)
}
