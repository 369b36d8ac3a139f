import type { Log } from '../base/index.ts'
import { addNetworks, type PodNetworks } from './add-networks.ts'
import { findPlugin, pluginDirectories } from './find-plugin.ts'
import { loadNetworks } from './load-networks.ts'
import type { NetRequest } from './net-flag.ts'
import type { PortMapping } from './resolve-ports.ts'
import { composeNetworks, type EndExec, type NetworkPlan } from './plan-networks.ts'

/**
 * Addresses in use, for every data directory of this host: pods of two of them share the networks. Gone after a reboot, like the
 * interfaces that had the addresses.
 */
export const leaseDirectory = '/run/rkt/networks'

export interface PlanOptions {
  readonly request: NetRequest
  readonly uuid: string
  /** Where the pod's network namespace is pinned, or will be when the plan is carried out. */
  readonly netnsPath: string
  /** How the teardown names it: the launcher fills in `@pod@/…`, because collection renames the pod's directory. */
  readonly endNetns: string
  /** The administrator's configuration directory, which holds `net.d`. */
  readonly localConfig: string
  readonly log: Log
  /** Who masquerades the built-in networks; left out: the plugin. */
  readonly masquerade?: 'own' | 'plugin'
  /** For plugins that forward ports themselves. */
  readonly ports?: readonly PortMapping[]
}

/**
 * Reads the configuration and plans a pod's networks; changes nothing.
 *
 * @throws RktError `network-setup`, `missing-tool`, `invalid-config`, `invalid-json`.
 */
export function planNetworks(options: PlanOptions): NetworkPlan {
  if (options.request.kind !== 'networks') return { endNetns: options.endNetns, adds: [], teardown: [] }
  const pluginDirs = pluginDirectories(options.localConfig)
  return composeNetworks({
    request: options.request,
    uuid: options.uuid,
    netnsPath: options.netnsPath,
    endNetns: options.endNetns,
    addressDir: leaseDirectory,
    networks: loadNetworks(options.localConfig, options.log),
    pluginDirs,
    masquerade: options.masquerade ?? 'plugin',
    ports: options.ports ?? [],
    findPlugin: (type) => findPlugin(type, pluginDirs),
  })
}

export interface SetupOptions extends PlanOptions {
  readonly podDir: string
  readonly signal: AbortSignal
}

/** Plans and connects in one call, for callers that need not write the plan down in between. */
export async function setupNetworks(options: SetupOptions): Promise<PodNetworks & { readonly teardown: readonly EndExec[] }> {
  const plan = planNetworks(options)
  return { teardown: plan.teardown, ...(await addNetworks(plan, options)) }
}
