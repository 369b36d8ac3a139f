import { isIP } from 'node:net'
import { everyAddress, type PortMapping } from '../resolve-ports.ts'
import { addressBytes } from './address.ts'
import { type Expression, hasAddress, type IpVersion, isFamily, isLocal, isProtocol, masquerade, redirect, toPort, wasRedirected } from './expression.ts'
import type { Change } from './message.ts'
import { newRule } from './table.ts'

/** An address of a pod, and the length of its network's prefix. */
export interface PodAddress {
  readonly ip: string
  readonly prefixLength: number
}

export interface PodRules {
  readonly table: string
  /** Ports that lead to the pod. */
  readonly ports: readonly PortMapping[]
  /** Where they lead: at most one address of each family. */
  readonly targets: readonly PodAddress[]
  /** Addresses of the pod that leave the host under the host's own. */
  readonly masqueraded: readonly PodAddress[]
}

/** The rules of one pod. */
export function podRules({ table, ports, targets, masqueraded }: PodRules): readonly Change[] {
  return [
    ...targets.flatMap(({ ip }) => ports.flatMap((port) => forwarding(table, { ip, port }))),
    ...(ports.length === 0 ? [] : targets.flatMap(({ ip }) => answers(table, ip))),
    ...masqueraded.map((address) => outbound(table, address)),
  ]
}

/** The version of an address, as rules want it. */
export function versionOf(ip: string): IpVersion {
  return isIP(ip) === 6 ? 6 : 4
}

/**
 * ATTACK: only packets to an address of this host are forwarded, not those that pass through it to another (CVE-2025-67499), and never
 * those to 127.0.0.0/8 or ::1, which a neighbour may send (CVE-2020-8558): the process that holds the port relays these.
 */
function forwarding(table: string, { ip, port }: { readonly ip: string; readonly port: PortMapping }): readonly Change[] {
  const version = versionOf(ip)
  const wanted = destination(version, port.hostIP)
  if (wanted === undefined) return []
  const steps = [
    ...isFamily(version),
    ...isProtocol(port.protocol),
    ...toPort(port.hostPort),
    ...wanted,
    ...isLocal('destination'),
    ...redirect({ version, address: addressBytes(ip), port: port.podPort }),
  ]
  return [newRule(table, { chain: 'prerouting', steps }), newRule(table, { chain: 'output', steps })]
}

/** Undefined when no packet of this family is forwarded for this address of the host. */
function destination(version: IpVersion, hostIP: string): Expression[] | undefined {
  const address = loopback[version]
  if (hostIP === everyAddress || isAllZero(hostIP, version)) return hasAddress({ side: 'destination', version, ...address, not: true })
  if (versionOf(hostIP) !== version || isLoopback(hostIP)) return undefined
  return hasAddress({ side: 'destination', version, address: addressBytes(hostIP) })
}

const loopback = {
  4: { address: addressBytes('127.0.0.0'), prefixLength: 8 },
  6: { address: addressBytes('::1'), prefixLength: 128 },
} as const

/** Whether packets to this address never leave the host. */
export function isLoopback(ip: string): boolean {
  const bytes = addressBytes(ip)
  return bytes.byteLength === 4 ? bytes[0] === 127 : bytes.equals(loopback[6].address)
}

function isAllZero(ip: string, version: IpVersion): boolean {
  return versionOf(ip) === version && addressBytes(ip).every((byte) => byte === 0)
}

/** What the host, or the pod itself, sends to a port of the pod needs a source that the pod answers through the host. */
function answers(table: string, ip: string): readonly Change[] {
  const version = versionOf(ip)
  const address = addressBytes(ip)
  const redirected = [...isFamily(version), ...hasAddress({ side: 'destination', version, address }), ...wasRedirected()]
  return [
    newRule(table, { chain: 'postrouting', steps: [...redirected, ...isLocal('source'), ...masquerade()] }),
    newRule(table, { chain: 'postrouting', steps: [...redirected, ...hasAddress({ side: 'source', version, address }), ...masquerade()] }),
  ]
}

function outbound(table: string, { ip, prefixLength }: PodAddress): Change {
  const version = versionOf(ip)
  const address = addressBytes(ip)
  const multicast = version === 4 ? { address: addressBytes('224.0.0.0'), prefixLength: 4 } : { address: addressBytes('ff00::'), prefixLength: 8 }
  const steps = [
    ...isFamily(version),
    ...hasAddress({ side: 'source', version, address }),
    ...hasAddress({ side: 'destination', version, address, prefixLength, not: true }),
    ...hasAddress({ side: 'destination', version, ...multicast, not: true }),
    ...masquerade(),
  ]
  return newRule(table, { chain: 'postrouting', steps })
}
