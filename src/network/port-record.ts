import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { isErrno, parseStrictJson, quote } from '../base/index.ts'
import { isRecord } from './configured-network.ts'
import type { KeeperProcess } from './keeper-process.ts'
import { replaceFile } from './replace-file.ts'
import type { PortMapping } from './resolve-ports.ts'

/** A port of a running pod, and where it leads. */
export interface PodPort extends PortMapping {
  /** Empty where nothing is forwarded. */
  readonly podIP: string
}

/** Who carries out the packet rules of a pod. */
export type RuleKind = 'nftables' | 'iptables' | 'plugin'

/** What a pod holds of the host's network. */
export interface PortRecord {
  readonly rules: RuleKind
  /** The process that holds it; absent where the plugins of the network do all. */
  readonly keeper?: KeeperProcess
  readonly ports: readonly PodPort[]
}

const fileName = 'ports.json'

/** Writes `ports.json` of a pod. */
export function writePortRecord(podDir: string, record: PortRecord): void {
  replaceFile(join(podDir, fileName), `${JSON.stringify(record)}\n`)
}

/** What a pod holds; undefined for nothing. */
export function readPortRecord(podDir: string): PortRecord | undefined {
  const path = join(podDir, fileName)
  try {
    return parseRecord(parseStrictJson(readFileSync(path), { what: quote(path) }))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Ports as `status` shows them: `NAME:PROTOCOL=HOSTIP:HOSTPORT>PODIP:PODPORT, …`. */
export function portsColumn(ports: readonly PodPort[]): string {
  const place = (ip: string, port: number): string => `${isIP(ip) === 6 ? `[${ip}]` : ip}:${port}`
  return ports.map(({ name, protocol, hostIP, hostPort, podIP, podPort }) => `${name}:${protocol}=${place(hostIP, hostPort)}>${place(podIP, podPort)}`).join(', ')
}

function parseRecord(value: unknown): PortRecord | undefined {
  if (!isRecord(value)) return undefined
  const { rules, keeper, ports } = value
  if (rules !== 'nftables' && rules !== 'iptables' && rules !== 'plugin') return undefined
  return { rules, ...parseKeeper(keeper), ports: Array.isArray(ports) ? ports.flatMap(parsePort) : [] }
}

function parseKeeper(value: unknown): Pick<PortRecord, 'keeper'> {
  if (!isRecord(value) || typeof value['pid'] !== 'number' || typeof value['startTime'] !== 'string') return {}
  return { keeper: { pid: value['pid'], startTime: value['startTime'] } }
}

function parsePort(value: unknown): PodPort[] {
  if (!isRecord(value)) return []
  const { name, protocol, hostIP, hostPort, podIP, podPort, socketActivated } = value
  if (typeof name !== 'string' || (protocol !== 'tcp' && protocol !== 'udp') || typeof hostIP !== 'string' || typeof podIP !== 'string') return []
  if (typeof hostPort !== 'number' || typeof podPort !== 'number') return []
  return [{ name, protocol, hostIP, hostPort, podIP, podPort, socketActivated: socketActivated === true }]
}
