import { isIP } from 'node:net'
import type { PortClaims } from './claim-ports.ts'
import type { Place } from './keeper.ts'
import { batch } from './netfilter/message.ts'
import { isLoopback, type PodAddress, podRules } from './netfilter/pod-rules.ts'
import { everyAddress, type PortMapping } from './resolve-ports.ts'

export interface OpenOptions {
  readonly table: string
  /** Addresses of the network that ports lead to. */
  readonly targets: readonly PodAddress[]
  readonly masqueraded: readonly PodAddress[]
  /** Whether packets are forwarded here: not where the plugin of the network does it. */
  readonly forward: boolean
}

/**
 * Lets the claimed ports lead to the pod. Packets for other addresses than loopback are redirected by rules, connections over loopback
 * are relayed.
 *
 * @throws RktError `network-setup`.
 */
export async function openPorts({ keeper, claims }: PortClaims, options: OpenOptions): Promise<void> {
  const { table, masqueraded, forward } = options
  const targets = [4, 6].flatMap((family) => options.targets.filter(({ ip }) => isIP(ip) === family).slice(0, 1))
  const ports = [...new Set(claims.map(({ port }) => port))]
  const rules = keeper.refusal === undefined ? podRules({ table, ports: forward ? ports : [], targets, masqueraded }) : []
  const places = claims.map(({ port, place }) => relayTarget({ port, place }, targets))
  await keeper.lead(places, rules.length === 0 ? new Uint8Array() : batch(rules))
}

/** Where a connection over loopback goes: to the address of its own family, else to the other. */
function relayTarget({ port, place }: { readonly port: PortMapping; readonly place: Place }, targets: readonly PodAddress[]): Place | undefined {
  const target = targets.find(({ ip }) => isIP(ip) === isIP(place.ip)) ?? targets[0]
  const relayed = port.hostIP === everyAddress || /^[0:]+$/.test(port.hostIP) || isLoopback(port.hostIP)
  return target === undefined || !relayed ? undefined : { protocol: port.protocol, ip: target.ip, port: port.podPort }
}
