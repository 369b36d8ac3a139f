import { quote, RktError } from '../base/index.ts'
import type { PluginConf } from './configured-network.ts'
import { everyAddress, type PortMapping } from './resolve-ports.ts'

/** Values for plugins that declare a capability, by its name. SPEC: CNI CONVENTIONS.md, "Dynamic Plugin specific fields". */
export type Capabilities = Readonly<Record<string, unknown>>

/** The capability that each argument of `--net=NAME:…` serves, where a plugin of the network has it. */
const argumentCapabilities: Readonly<Record<string, string>> = {
  MAC: 'mac',
  IP: 'ips',
  ingressRate: 'bandwidth',
  ingressBurst: 'bandwidth',
  egressRate: 'bandwidth',
  egressBurst: 'bandwidth',
}

/**
 * Parts the arguments of a network: those that plugins take by a capability, and the rest, which is CNI_ARGS.
 *
 * @throws RktError `usage` for a bandwidth that is no number.
 */
export function splitArguments(args: string, declared: readonly string[]): { readonly capabilities: Capabilities; readonly rest: string } {
  const rest: string[] = []
  const capabilities: Record<string, unknown> = {}
  const bandwidth: Record<string, number> = {}
  for (const item of args.split(';').filter((one) => one !== '')) {
    const [key = '', ...words] = item.split('=')
    const value = words.join('=')
    const capability = argumentCapabilities[key]
    if (capability === undefined || !declared.includes(capability)) rest.push(item)
    else if (capability === 'mac') capabilities['mac'] = value.replaceAll('-', ':')
    else if (capability === 'ips') capabilities['ips'] = [value]
    else bandwidth[key] = rate(key, value)
  }
  return { capabilities: Object.keys(bandwidth).length === 0 ? capabilities : { ...capabilities, bandwidth }, rest: rest.join(';') }
}

function rate(key: string, value: string): number {
  if (!/^[0-9]{1,15}$/.test(value)) throw new RktError('usage', `cannot use network argument ${quote(`${key}=${value}`)}: expected a number of bits`)
  return Number(value)
}

/** Ports for plugins that forward them. */
export function portMappings(ports: readonly PortMapping[]): Capabilities {
  if (ports.length === 0) return {}
  return {
    portMappings: ports.map(({ protocol, hostIP, hostPort, podPort }) => ({
      hostPort,
      containerPort: podPort,
      protocol,
      ...(hostIP === everyAddress ? {} : { hostIP }),
    })),
  }
}

/** `runtimeConfig` with what this plugin has declared. */
export function runtimeConfig({ capabilities }: PluginConf, given: Capabilities): { readonly runtimeConfig?: Capabilities } {
  const entries = Object.entries(given).filter(([name]) => capabilities.includes(name))
  return entries.length === 0 ? {} : { runtimeConfig: Object.fromEntries(entries) }
}
