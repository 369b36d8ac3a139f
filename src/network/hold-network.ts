import type { PortClaims } from './claim-ports.ts'
import type { PodNetworks } from './add-networks.ts'
import type { PodAddress } from './netfilter/pod-rules.ts'
import type { NetworkPlan } from './plan-networks.ts'
import { type PortRecord, writePortRecord } from './port-record.ts'
import type { PortMapping } from './resolve-ports.ts'

export interface HoldOptions {
  readonly uuid: string
  readonly podDir: string
  readonly plan: NetworkPlan
  /** Those that are forwarded; ports whose sockets the app takes over are nobody's business here. */
  readonly ports: readonly PortMapping[]
  /** UUID of the running pod that holds a port. */
  readonly ownerOf: (port: PortMapping) => string | undefined
  readonly signal: AbortSignal
}

/** What a pod holds of the host's network until its launcher ends. Disposal, for a start that fails, gives it back at once. */
export interface NetworkHold extends Disposable {
  /** Whether the kernel takes packet rules; else the plugins have to masquerade. */
  readonly hasRules: boolean
  /** Lets the ports lead to the connected pod, and masquerades it. */
  open(connected: PodNetworks): Promise<void>
}

/**
 * Claims the ports of a pod before anything else of it exists. A pod that needs none and no rule holds nothing.
 *
 * @throws RktError `busy`, `network-setup`.
 */
export async function holdNetwork(options: HoldOptions): Promise<NetworkHold> {
  const { uuid, podDir, plan, ports, ownerOf, signal } = options
  const own = plan.adds.some(({ network }) => network.builtin && network.masquerade)
  if (ports.length === 0 && !own) return { hasRules: true, open: async () => undefined, [Symbol.dispose]: () => undefined }
  const { claimPorts } = await import('./claim-ports.ts')
  const { openPorts } = await import('./open-ports.ts')
  const table = `rkt-${uuid}`
  const byPlugin = plan.adds.some(({ network }) => network.plugins.some(({ capabilities }) => capabilities.includes('portMappings')))
  const claims = await claimPorts({ table, ports, ownerOf, signal })
  writePortRecord(podDir, record(claims, ports, ''))
  return {
    hasRules: claims.keeper.refusal === undefined,
    open: async ({ interfaces }) => {
      const byNetwork = plan.adds.map(({ network }, index) => ({ network, addresses: interfaces[index]?.addresses ?? [] }))
      const targets = (byNetwork.find(({ network }) => network.masquerade) ?? byNetwork.at(-1))?.addresses ?? []
      const masqueraded = byNetwork.flatMap(({ network, addresses }): readonly PodAddress[] => (network.builtin && network.masquerade ? addresses : []))
      await openPorts(claims, { table, targets, masqueraded, forward: !byPlugin })
      writePortRecord(podDir, record(claims, ports, targets[0]?.ip ?? ''))
    },
    [Symbol.dispose]: () => claims.keeper[Symbol.dispose](),
  }
}

function record({ keeper }: PortClaims, ports: readonly PortMapping[], podIP: string): PortRecord {
  return { rules: keeper.refusal === undefined ? 'nftables' : 'iptables', keeper: keeper.process, ports: ports.map((port) => ({ ...port, podIP })) }
}
