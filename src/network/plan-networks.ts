import { quote, RktError } from '../base/index.ts'
import { portMappings, runtimeConfig, splitArguments } from './capabilities.ts'
import { type ConfiguredNetwork, isRecord, type PluginConf } from './configured-network.ts'
import type { NetRequest, NetworkName } from './net-flag.ts'
import type { PortMapping } from './resolve-ports.ts'

/** A program that the end of a pod runs whatever happened before; running it again changes nothing. */
export interface EndExec {
  /** Absolute program first. */
  readonly argv: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Uint8Array
}

/** One plugin call, but for the result of the plugin before. */
export interface PlannedPlugin {
  /** Absolute. */
  readonly path: string
  readonly conf: Readonly<Record<string, unknown>>
}

/** One network that the pod gets. */
export interface NetworkAdd {
  readonly network: ConfiguredNetwork
  /** The configuration, kept in the pod as `net/<file name>`. */
  readonly conf: Uint8Array
  /** In the order of ADD. */
  readonly plugins: readonly PlannedPlugin[]
  readonly ifName: string
  readonly args: string
  readonly env: Readonly<Record<string, string>>
}

/** What connects a pod and what disconnects it; both are known before anything is done. */
export interface NetworkPlan {
  /** Where addresses in use are recorded, made before the first ADD; left out: no plugin needs it. */
  readonly addressDir?: string
  readonly adds: readonly NetworkAdd[]
  /** What `CNI_NETNS` is at the end. */
  readonly endNetns: string
  /** One CNI DEL for each ADD, last first; what the ADDs answered is not in it. */
  readonly teardown: readonly EndExec[]
  /** Those of `teardown` that no answer of a plugin changes. */
  readonly always?: readonly EndExec[]
}

export interface ComposeOptions {
  readonly request: NetRequest
  readonly uuid: string
  /** The pod's pinned network namespace. */
  readonly netnsPath: string
  /** What `CNI_NETNS` is at the pod's end, when its directory has another name: the launcher fills in `@pod@/…`. */
  readonly endNetns: string
  readonly addressDir: string
  readonly networks: readonly ConfiguredNetwork[]
  readonly pluginDirs: readonly string[]
  readonly findPlugin: (type: string) => string
  /** Who masquerades the built-in networks: rkt's own packet rules, or the plugin with iptables. */
  readonly masquerade: 'own' | 'plugin'
  /** For plugins that forward ports themselves. */
  readonly ports: readonly PortMapping[]
}

/** What iptables and nft, which plugins start by name, are searched in. */
const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Plans the plugin calls of a pod: interfaces `eth0`, `eth1`… in the order of the configuration files.
 *
 * @throws RktError `network-setup` for names that are not configured.
 */
export function composeNetworks(options: ComposeOptions): NetworkPlan {
  const adds = chosen(options.request, options.networks).map(({ network, args }, index): NetworkAdd => {
    const ifName = `eth${index}`
    const { capabilities, rest } = splitArguments(args, network.plugins.flatMap((plugin) => plugin.capabilities))
    const given = { ...capabilities, ...portMappings(options.ports) }
    return {
      network,
      conf: Buffer.from(`${JSON.stringify(network.conf, undefined, '\t')}\n`),
      plugins: network.plugins.map((plugin) => ({ path: options.findPlugin(plugin.type), conf: { ...confOf(plugin, { network, options }), ...runtimeConfig(plugin, given) } })),
      ifName,
      args,
      env: {
        CNI_VERSION: network.cniVersion,
        CNI_COMMAND: 'ADD',
        CNI_CONTAINERID: options.uuid,
        CNI_NETNS: options.netnsPath,
        CNI_ARGS: rest,
        CNI_IFNAME: ifName,
        CNI_PATH: options.pluginDirs.join(':'),
        PATH: programPath,
      },
    }
  })
  const recorded = adds.some(({ plugins }) => plugins.some(({ conf }) => isRecord(conf['ipam']) && conf['ipam']['dataDir'] === options.addressDir))
  return { ...(recorded ? { addressDir: options.addressDir } : {}), endNetns: options.endNetns, adds, teardown: adds.flatMap((add) => deletions(add, { netns: options.endNetns })).reverse() }
}

export interface DeletionOptions {
  readonly netns: string
  /** What the last plugin answered to ADD. */
  readonly result?: unknown
}

/** The calls that take back `add`, in the order of ADD; CNI asks plugins to accept them any number of times, also without the ADD. */
export function deletions(add: NetworkAdd, { netns, result }: DeletionOptions): readonly EndExec[] {
  return add.plugins.map(({ path, conf }) => ({
    argv: [path],
    env: { ...add.env, CNI_COMMAND: 'DEL', CNI_NETNS: netns },
    stdin: pluginInput(add, { conf, result }),
  }))
}

/**
 * What a plugin gets on its standard input.
 *
 * SPEC: CNI 1.0.0, section 4: every plugin of a list but the first gets `prevResult` at ADD, and all of them at DEL; unknown before 0.4.0.
 */
export function pluginInput({ network }: NetworkAdd, { conf, result }: { readonly conf: PlannedPlugin['conf']; readonly result?: unknown }): Buffer {
  const knowsResult = network.plugins.length > 1 || /^(0\.[4-9]|[1-9])\./.test(network.cniVersion)
  return Buffer.from(`${JSON.stringify(result === undefined || !knowsResult ? conf : { ...conf, prevResult: result }, undefined, '\t')}\n`)
}

function chosen(request: NetRequest, networks: readonly ConfiguredNetwork[]): { network: ConfiguredNetwork; args: string }[] {
  if (request.kind !== 'networks') return []
  const wanted = new Map(request.names.map((item): [string, NetworkName] => [item.name, item]))
  const all = wanted.delete('all')
  const missing = [...wanted.keys()].filter((name) => !networks.some((network) => network.name === name))
  if (missing.length > 0) {
    throw new RktError('network-setup', `failed to setup network: networks not found: ${missing.map(quote).join(', ')}`, {
      hint: `configured are ${networks.map(({ name }) => name).join(', ')}; a file net.d/NAME.conf in the local configuration adds one`,
    })
  }
  return networks
    .filter(({ name }) => all || wanted.has(name))
    .map((network) => ({ network, args: wanted.get(network.name)?.args ?? '' }))
}

function confOf({ conf }: PluginConf, { network, options }: { readonly network: ConfiguredNetwork; readonly options: ComposeOptions }): Readonly<Record<string, unknown>> {
  const whole = withAddressDir(conf, options.addressDir)
  return network.builtin && options.masquerade === 'own' ? { ...whole, ipMasq: false } : whole
}

/** Keeps the addresses that `host-local` hands out in a directory of this host's, unless the configuration names another one. */
function withAddressDir(conf: Readonly<Record<string, unknown>>, addressDir: string): Readonly<Record<string, unknown>> {
  const ipam = conf['ipam']
  if (!isRecord(ipam) || ipam['type'] !== 'host-local' || ipam['dataDir'] !== undefined) return conf
  return { ...conf, ipam: { ...ipam, dataDir: addressDir } }
}
