import { isIP } from 'node:net'
import { RktError } from '../base/index.ts'
import type { PortClaims } from './claim-ports.ts'
import type { PodNetworks } from './add-networks.ts'
import type { PodAddress } from './netfilter/pod-rules.ts'
import type { EndExec, NetworkPlan } from './plan-networks.ts'
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
  /** What the end of the pod has to undo. */
  readonly end: readonly EndExec[]
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
  if (ports.length === 0 && !own) return { hasRules: true, end: [], open: async () => undefined, [Symbol.dispose]: () => undefined }
  const { claimPorts } = await import('./claim-ports.ts')
  const { openPorts } = await import('./open-ports.ts')
  const { chainsEnd } = await import('./iptables/pod-chains.ts')
  const table = `rkt-${uuid}`
  const byPlugin = plan.adds.some(({ network }) => network.plugins.some(({ capabilities }) => capabilities.includes('portMappings')))
  const claims = await claimPorts({ table, ports, ownerOf, signal })
  const { refusal } = claims.keeper
  if (refusal !== undefined && !absences.includes(refusal)) {
    claims.keeper[Symbol.dispose]()
    throw new RktError('network-setup', `failed to setup network: the kernel refused the packet rules: ${refusal}`)
  }
  const chains = refusal !== undefined && ports.length > 0 && !byPlugin
  writePortRecord(podDir, record(claims, ports, ''))
  return {
    hasRules: refusal === undefined,
    end: chains ? chainsEnd(uuid) : [],
    open: async ({ interfaces }) => {
      const byNetwork = plan.adds.map(({ network }, index) => ({ network, addresses: interfaces[index]?.addresses ?? [] }))
      const targets = (byNetwork.find(({ network }) => network.masquerade) ?? byNetwork.at(-1))?.addresses ?? []
      const masqueraded = byNetwork.flatMap(({ network, addresses }): readonly PodAddress[] => (network.builtin && network.masquerade ? addresses : []))
      if (chains) await forwardByChains({ uuid, ports, targets })
      await openPorts(claims, { table, targets, masqueraded, forward: !byPlugin })
      writePortRecord(podDir, record(claims, ports, targets[0]?.ip ?? ''))
    },
    [Symbol.dispose]: () => claims.keeper[Symbol.dispose](),
  }
}

/** What the kernel answers that has no nf_tables, or not all that our rules need. */
const absences = ['EOPNOTSUPP', 'ENOTSUP', 'EPROTONOSUPPORT', 'EAFNOSUPPORT', 'ENOENT']

interface ForwardOptions {
  readonly uuid: string
  readonly ports: readonly PortMapping[]
  readonly targets: readonly PodAddress[]
}

async function forwardByChains({ uuid, ports, targets }: ForwardOptions): Promise<void> {
  const { applyChains } = await import('./iptables/apply-chains.ts')
  for (const version of [4, 6]) {
    const target = targets.find(({ ip }) => isIP(ip) === version)
    if (target !== undefined) applyChains({ uuid, ports, target })
  }
}

function record({ keeper }: PortClaims, ports: readonly PortMapping[], podIP: string): PortRecord {
  return { rules: keeper.refusal === undefined ? 'nftables' : 'iptables', keeper: keeper.process, ports: ports.map((port) => ({ ...port, podIP })) }
}
