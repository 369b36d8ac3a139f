import { isIP } from 'node:net'
import { parseStrictJson, quote, RktError } from '../base/index.ts'
import { isRecord } from './configured-network.ts'

/** Resolver configuration, from a plugin or from the command line. */
export interface DnsSettings {
  readonly nameservers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
  readonly domain?: string
}

/** An address that a plugin gave a pod. */
export interface CniAddress {
  readonly ip: string
  readonly prefixLength: number
  readonly gateway?: string
}

/** The part of a plugin's result that a pod needs. */
export interface CniResult {
  /** First IPv4 address, else first address; absent when the plugin gave none. */
  readonly address?: CniAddress
  /** All of them, in the order of the result. */
  readonly addresses: readonly CniAddress[]
  readonly dns: DnsSettings
}

/**
 * Reads the result of an ADD in any protocol version from 0.1.0 to 1.0.0.
 *
 * @throws RktError `network-setup` or `invalid-json`.
 */
export function parseCniResult(bytes: Uint8Array, networkName: string): CniResult {
  const result = parseStrictJson(bytes, { what: `result of network ${quote(networkName)}` })
  if (!isRecord(result)) throw unusable(networkName, 'not a JSON object')
  const addresses = addressesOf(result).map(({ cidr, gateway }) => {
    const [, ip = '', digits = ''] = /^([0-9A-Fa-f:.]+)\/([0-9]{1,3})$/.exec(cidr) ?? []
    const family = isIP(ip)
    if (family === 0 || Number(digits) > (family === 4 ? 32 : 128)) throw unusable(networkName, `address ${quote(cidr)} is not ADDRESS/LENGTH`)
    if (gateway !== undefined && isIP(gateway) === 0) throw unusable(networkName, `gateway ${quote(gateway)} is not an address`)
    return { ip, prefixLength: Number(digits), ...(gateway === undefined ? {} : { gateway }) }
  })
  const address = addresses.find(({ ip }) => isIP(ip) === 4) ?? addresses[0]
  return { addresses, dns: dnsOf(result['dns'], networkName), ...(address === undefined ? {} : { address }) }
}

function unusable(networkName: string, state: string): RktError {
  return new RktError('network-setup', `failed to setup network ${quote(networkName)}: cannot use the plugin's result: ${state}`)
}

/** `ips[].address` from 0.3.0 on; `ip4.ip` and `ip6.ip` before. */
function addressesOf(result: Readonly<Record<string, unknown>>): readonly { readonly cidr: string; readonly gateway: string | undefined }[] {
  const ips = result['ips']
  const items = Array.isArray(ips) ? ips.map((item: unknown) => ({ item, key: 'address' })) : [result['ip4'], result['ip6']].map((item) => ({ item, key: 'ip' }))
  return items.flatMap(({ item, key }) => {
    if (!isRecord(item)) return []
    const cidr = item[key]
    const gateway = item['gateway']
    return typeof cidr === 'string' ? [{ cidr, gateway: typeof gateway === 'string' && gateway !== '' ? gateway : undefined }] : []
  })
}

function dnsOf(value: unknown, networkName: string): DnsSettings {
  const dns = isRecord(value) ? value : {}
  const nameservers = words(dns['nameservers'])
  const bad = nameservers.find((server) => isIP(server) === 0)
  if (bad !== undefined) throw unusable(networkName, `nameserver ${quote(bad)} is not an address`)
  const [domain] = words([dns['domain']])
  return { nameservers, search: words(dns['search']), options: words(dns['options']), ...(domain === undefined ? {} : { domain }) }
}

/** The strings of a list that can stand on a line of resolv.conf; a plugin must not add lines of its own. */
function words(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return []
  return value.filter((item: unknown): item is string => typeof item === 'string' && /^[^\s\p{Cc}]+$/u.test(item))
}
