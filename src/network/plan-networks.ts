import { quote, RktError } from '../base/index.ts'
import { type ConfiguredNetwork, isRecord } from './configured-network.ts'
import type { NetRequest, NetworkName } from './net-flag.ts'

/** A program that the end of a pod runs whatever happened before; running it again changes nothing. */
export interface EndExec {
  /** Absolute program first. */
  readonly argv: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Uint8Array
}

/** One plugin call that connects the pod. */
export interface NetworkAdd {
  readonly network: ConfiguredNetwork
  /** The configuration as the plugin gets it, kept in the pod as `net/<file name>`. */
  readonly conf: Uint8Array
  readonly pluginPath: string
  readonly ifName: string
  readonly args: string
  readonly env: Readonly<Record<string, string>>
}

/** What connects a pod and what disconnects it; both are known before anything is done. */
export interface NetworkPlan {
  /** Where the addresses in use are recorded; made before the first ADD. */
  readonly addressDir: string
  readonly adds: readonly NetworkAdd[]
  /** One CNI DEL for each ADD, last first. */
  readonly teardown: readonly EndExec[]
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
    return {
      network,
      conf: Buffer.from(`${JSON.stringify(confOf(network, options), undefined, '\t')}\n`),
      pluginPath: options.findPlugin(network.type),
      ifName,
      args,
      env: {
        CNI_VERSION: network.cniVersion,
        CNI_COMMAND: 'ADD',
        CNI_CONTAINERID: options.uuid,
        CNI_NETNS: options.netnsPath,
        CNI_ARGS: args,
        CNI_IFNAME: ifName,
        CNI_PATH: options.pluginDirs.join(':'),
        PATH: programPath,
      },
    }
  })
  return { addressDir: options.addressDir, adds, teardown: adds.map((add) => deletion(add, options.endNetns)).reverse() }
}

/** The call that takes back `add`; CNI asks plugins to accept it any number of times, also without the ADD. */
export function deletion(add: NetworkAdd, netns: string): EndExec {
  return { argv: [add.pluginPath], env: { ...add.env, CNI_COMMAND: 'DEL', CNI_NETNS: netns }, stdin: add.conf }
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

function confOf(network: ConfiguredNetwork, { addressDir, masquerade }: ComposeOptions): Readonly<Record<string, unknown>> {
  const conf = withAddressDir(network.conf, addressDir)
  return network.builtin && masquerade === 'own' ? { ...conf, ipMasq: false } : conf
}

/** Keeps the addresses that `host-local` hands out in rkt's own directory, unless the configuration names another one. */
function withAddressDir(conf: Readonly<Record<string, unknown>>, addressDir: string): Readonly<Record<string, unknown>> {
  const ipam = conf['ipam']
  if (!isRecord(ipam) || ipam['type'] !== 'host-local' || ipam['dataDir'] !== undefined) return conf
  return { ...conf, ipam: { ...ipam, dataDir: addressDir } }
}
