import { isIP } from 'node:net'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { isErrno, parseStrictJson, quote } from '../base/index.ts'
import type { DnsSettings } from './cni-result.ts'
import { isRecord } from './configured-network.ts'
import { replaceFile } from './replace-file.ts'

/** One interface of a pod, as `net-info.json` and `status --format=json` show it. */
export interface NetInfo {
  readonly netName: string
  /** Configuration, relative to the pod directory. */
  readonly netConf: string
  readonly pluginPath: string
  readonly ifName: string
  /** Empty when the plugin gave no address. */
  readonly ip: string
  readonly args: string
  /** Dotted for IPv4, colons for IPv6. */
  readonly mask: string
  /** The host's end of the link: the gateway in the plugin's result; empty for none. */
  readonly hostIP: string
  /** All addresses, each with the length of its network's prefix. */
  readonly addresses: readonly { readonly ip: string; readonly prefixLength: number }[]
  readonly dns?: DnsSettings
}

/** Writes `net-info.json` of a pod. */
export function writeNetInfo(podDir: string, interfaces: readonly NetInfo[]): void {
  replaceFile(join(podDir, 'net-info.json'), `${JSON.stringify(interfaces)}\n`)
}

/** Interfaces of a pod; none when it never had any. */
export function readNetInfo(podDir: string): readonly NetInfo[] {
  const path = join(podDir, 'net-info.json')
  try {
    return parseNetInfo(parseStrictJson(readFileSync(path), { what: quote(path) }))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** The NETWORKS column of `list`: `name:ip4=A.B.C.D, …`. */
export function networksColumn(interfaces: readonly NetInfo[]): string {
  return interfaces.map(({ netName, ip }) => (ip === '' ? netName : `${netName}:ip${isIP(ip) === 6 ? '6' : '4'}=${ip}`)).join(', ')
}

/** The mask that a prefix length stands for. */
export function maskText(ip: string, prefixLength: number): string {
  const bits = isIP(ip) === 4 ? 8 : 16
  const groups = Array.from({ length: isIP(ip) === 4 ? 4 : 8 }, (_, index) => {
    const ones = Math.min(bits, Math.max(0, prefixLength - index * bits))
    return 2 ** bits - 2 ** (bits - ones)
  })
  return bits === 8 ? groups.join('.') : groups.map((group) => group.toString(16)).join(':')
}

function parseNetInfo(value: unknown): readonly NetInfo[] {
  if (!Array.isArray(value)) return []
  return value.filter(isRecord).map((item): NetInfo => {
    const text = (key: string): string => (typeof item[key] === 'string' ? item[key] : '')
    return {
      netName: text('netName'),
      netConf: text('netConf'),
      pluginPath: text('pluginPath'),
      ifName: text('ifName'),
      ip: text('ip'),
      args: text('args'),
      mask: text('mask'),
      hostIP: text('hostIP'),
      addresses: Array.isArray(item['addresses']) ? item['addresses'].flatMap(parseAddress) : [],
    }
  })
}

function parseAddress(value: unknown): NetInfo['addresses'] {
  if (!isRecord(value) || typeof value['ip'] !== 'string' || typeof value['prefixLength'] !== 'number') return []
  return [{ ip: value['ip'], prefixLength: value['prefixLength'] }]
}
