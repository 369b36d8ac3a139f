import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorText, type Log, parseStrictJson, quote } from '../base/index.ts'
import { type CniResult, type DnsSettings, parseCniResult } from './cni-result.ts'
import { maskText, type NetInfo, writeNetInfo } from './net-info.ts'
import { deletions, type EndExec, type NetworkAdd, type NetworkPlan, pluginInput } from './plan-networks.ts'
import { replaceFile } from './replace-file.ts'
import { type PluginCall, runPlugin } from './run-plugin.ts'

export interface AddOptions {
  readonly podDir: string
  /** Descriptor of the pod's lock; plugins inherit it. */
  readonly lockFd?: number
  readonly log: Log
  readonly signal: AbortSignal
}

/** What a connected pod knows about its networks. */
export interface PodNetworks {
  readonly interfaces: readonly NetInfo[]
  /** What disconnects it, with what the plugins have answered; left out: as planned. */
  readonly teardown?: readonly EndExec[]
  /** The first resolver configuration that a plugin returned. */
  readonly dns?: { readonly networkName: string; readonly settings: DnsSettings }
}

/**
 * Connects a pod as planned and writes `net/*.conf` and `net-info.json` into its directory; a failure takes back what was started.
 *
 * @throws RktError `network-setup`, `timeout`, `missing-tool`; the signal's reason when aborted.
 */
export async function addNetworks(plan: NetworkPlan, options: AddOptions): Promise<PodNetworks> {
  if (plan.adds.length === 0) return { interfaces: [] }
  const started: NetworkAdd[] = []
  const interfaces: NetInfo[] = []
  const teardown: EndExec[] = []
  try {
    if (plan.addressDir !== undefined) makeAddressDirectory(plan.addressDir)
    mkdirSync(join(options.podDir, 'net'), { recursive: true, mode: 0o750 })
    for (const add of plan.adds) {
      const netConf = join('net', add.network.fileName)
      replaceFile(join(options.podDir, netConf), add.conf)
      started.push(add)
      const output = await addNetwork(add, options)
      interfaces.push(netInfo(add, netConf, parseCniResult(output, add.network.name)))
      const result = parseStrictJson(output, { what: `result of network ${quote(add.network.name)}` })
      teardown.push(...deletions(add, { netns: plan.endNetns, result }))
    }
    writeNetInfo(options.podDir, interfaces)
  } catch (error) {
    await takeBack(started, options)
    throw error
  }
  return { interfaces, teardown: teardown.reverse(), ...firstDns(interfaces) }
}

/** Calls the plugins of one network, each with the result of the one before; gives the last result. */
async function addNetwork(add: NetworkAdd, options: AddOptions): Promise<Uint8Array> {
  let output: Uint8Array | undefined
  for (const [index, { path, conf }] of add.plugins.entries()) {
    const type = add.network.plugins[index]?.type ?? ''
    options.log.debug('networking', `loading network ${add.network.name} with type ${type}`)
    const result = output === undefined ? undefined : parseStrictJson(output, { what: `result of network ${quote(add.network.name)}` })
    const stdin = pluginInput(add, { conf, ...(result === undefined ? {} : { result }) })
    output = await runPlugin({ ...pluginCall(add, options), path, stdin, env: add.env, signal: options.signal })
  }
  return output ?? new Uint8Array()
}

/** Other users see neither the pods nor their addresses. */
function makeAddressDirectory(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** Not interrupted by the caller's signal: what was started is taken back even when the command is being cancelled. */
async function takeBack(started: readonly NetworkAdd[], options: AddOptions): Promise<void> {
  for (const add of started.toReversed()) {
    for (const { argv, env, stdin } of deletions(add, { netns: add.env['CNI_NETNS'] ?? '' }).toReversed()) {
      try {
        await runPlugin({ ...pluginCall(add, options), path: argv[0] ?? '', stdin, env, signal: new AbortController().signal })
      } catch (error) {
        // The start has already failed with the first reason; the pod's end runs this call again.
        options.log.warn(`cannot undo network ${quote(add.network.name)}: ${errorText(error)}`)
      }
    }
  }
}

function pluginCall(add: NetworkAdd, { lockFd }: AddOptions): Pick<PluginCall, 'networkName' | 'lockFd'> {
  return { networkName: add.network.name, ...(lockFd === undefined ? {} : { lockFd }) }
}

function netInfo(add: NetworkAdd, netConf: string, { address, addresses, dns }: CniResult): NetInfo {
  return {
    netName: add.network.name,
    netConf,
    pluginPath: add.plugins[0]?.path ?? '',
    ifName: add.ifName,
    ip: address?.ip ?? '',
    args: add.args,
    mask: address === undefined ? '' : maskText(address.ip, address.prefixLength),
    hostIP: address?.gateway ?? '',
    addresses: addresses.map(({ ip, prefixLength }) => ({ ip, prefixLength })),
    ...(hasDns(dns) ? { dns } : {}),
  }
}

function hasDns(dns: DnsSettings): boolean {
  return dns.nameservers.length + dns.search.length + dns.options.length > 0 || dns.domain !== undefined
}

function firstDns(interfaces: readonly NetInfo[]): Pick<PodNetworks, 'dns'> {
  for (const { netName, dns } of interfaces) {
    if (dns !== undefined) return { dns: { networkName: netName, settings: dns } }
  }
  return {}
}
