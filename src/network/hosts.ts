import { isIP } from 'node:net'
import { escapeText, unreachable } from '../base/index.ts'
import { dnsError } from './dns-flags.ts'

/** Where a pod's `/etc/hosts` comes from. */
export type HostsRequest =
  /** The volume or the image, else a short file of our own. */
  | { readonly kind: 'default' }
  /** A copy of the host's. */
  | { readonly kind: 'host' }
  | { readonly kind: 'given'; readonly entries: readonly HostsEntry[] }

export interface HostsEntry {
  readonly ip: string
  readonly names: readonly string[]
}

/**
 * Parses the values of `--hosts-entry`: comma lists of `IP=NAME`, or `host`.
 *
 * @throws RktError `usage`.
 */
export function parseHostsFlags(values: readonly string[]): HostsRequest {
  const entries = new Map<string, string[]>()
  for (const item of values.filter((value) => value !== 'host').flatMap((value) => value.split(','))) {
    const [, ip, name] = /^([^=]*)=([^\s\p{Cc}#]+)$/u.exec(item) ?? []
    if (ip === undefined || name === undefined) throw dnsError(`Did not understand --hosts-entry ${escapeText(item)}`)
    if (isIP(ip) === 0) throw dnsError(`Invalid IP passed to --hosts-entry: ${escapeText(ip)}`)
    entries.set(ip, [...(entries.get(ip) ?? []), name])
  }
  const host = values.includes('host')
  if (entries.size === 0) return { kind: host ? 'host' : 'default' }
  if (host) throw dnsError('cannot pass --hosts-entry=host with multiple hosts-entries')
  return { kind: 'given', entries: [...entries].map(([ip, names]) => ({ ip, names })) }
}

export interface HostsSources {
  readonly hostname: string
  /** Reads the host's file. */
  readonly readHost: () => string
}

/** A pod's `/etc/hosts`. */
export interface HostsFile {
  readonly text: string
  /** Whether it is put over the file of the volume or image; else it only fills its absence. */
  readonly replaces: boolean
}

/** Content of a pod's `/etc/hosts`. */
export function hostsFile(request: HostsRequest, { hostname, readHost }: HostsSources): HostsFile {
  const own = [
    `127.0.0.1 localhost localhost.domain localhost4 localhost4.localdomain4 ${hostname}`,
    '::1 localhost localhost.domain localhost6 localhost6.localdomain6',
    '',
  ].join('\n')
  switch (request.kind) {
    case 'default':
      return { text: own, replaces: false }
    case 'host':
      return { text: readHost(), replaces: true }
    case 'given': {
      const added = request.entries.map(({ ip, names }) => `${ip} ${names.join(' ')}\n`)
      return { text: `${own}\n# Added by rkt run --hosts-entry\n${added.join('')}`, replaces: true }
    }
    default:
      return unreachable(request)
  }
}
