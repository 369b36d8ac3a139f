import { parseStrictJson, quote, RktError } from '../base/index.ts'

/** One plugin of a network. */
export interface PluginConf {
  /** Plugin name: a plain file name. */
  readonly type: string
  /** Its configuration, with the keys that only the plugin understands. */
  readonly conf: Readonly<Record<string, unknown>>
  /** What it takes from the runtime, such as `portMappings`. */
  readonly capabilities: readonly string[]
}

/** A network that pods may ask for: one CNI plugin, or several of which each goes on with the result of the one before. */
export interface ConfiguredNetwork {
  readonly name: string
  /** At least one, in the order of ADD. */
  readonly plugins: readonly PluginConf[]
  /** File name, such as `99-default.conf`; networks are applied in the order of these names. */
  readonly fileName: string
  /** CNI protocol version of the configuration. */
  readonly cniVersion: string
  /** The whole configuration. */
  readonly conf: Readonly<Record<string, unknown>>
  /** Whether the pod's packets leave the host under the host's address. */
  readonly masquerade: boolean
  /** One of ours, which no file describes. */
  readonly builtin: boolean
}

/** SPEC: CNI 1.0.0, "Network configuration format": the name starts with an alphanumeric character. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/** Versions whose results are understood here, oldest first; a configuration without a version means the first. */
const cniVersions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0']

const specialNames = ['none', 'host', 'all']

/** More plugins in one network are a mistake. */
const maxPlugins = 16

/**
 * Reads the text of one `net.d/*.conf` or `*.conflist`.
 *
 * @throws RktError `invalid-config` or `invalid-json`, naming `path`.
 */
export function parseNetworkConf(bytes: Uint8Array, path: string): ConfiguredNetwork {
  const conf = parseStrictJson(bytes, { what: `network configuration ${quote(path)}` })
  const refuse: Refuse = (state) => {
    throw new RktError('invalid-config', `cannot use network configuration ${quote(path)}: ${state}`)
  }
  if (!isRecord(conf)) return refuse('not a JSON object')
  const { name } = conf
  // SAFETY: the name becomes a directory of the address manager.
  if (typeof name !== 'string' || !namePattern.test(name)) return refuse('"name" is missing or has other characters than A-Z a-z 0-9 _ . -')
  if (specialNames.includes(name)) return refuse(`the name ${quote(name)} is reserved`)
  const cniVersion = versionOf(conf, refuse)
  const list = conf['plugins']
  const plugins = list === undefined ? [parsePlugin(conf, refuse)] : parseList(list, { name, cniVersion, refuse })
  const masquerade = plugins.some((plugin) => plugin.conf['ipMasq'] === true)
  return { name, plugins, cniVersion, conf, fileName: path.slice(path.lastIndexOf('/') + 1), masquerade, builtin: false }
}

type Refuse = (state: string) => never

/** `cniVersion`, or the newest of `cniVersions` that is known here. */
function versionOf(conf: Readonly<Record<string, unknown>>, refuse: Refuse): string {
  const { cniVersion = '0.1.0', cniVersions: offered } = conf
  const newest = Array.isArray(offered) ? cniVersions.findLast((version) => offered.includes(version)) : undefined
  if (newest !== undefined) return newest
  if (typeof cniVersion === 'string' && cniVersions.includes(cniVersion)) return cniVersion
  return refuse(`"cniVersion" is ${quote(JSON.stringify(cniVersion))}; expected one of ${cniVersions.join(', ')}`)
}

/** SPEC: CNI 1.0.0, section 1: plugins of a list get the name and the version of the list. */
function parseList(list: unknown, { name, cniVersion, refuse }: { readonly name: string; readonly cniVersion: string; readonly refuse: Refuse }): readonly PluginConf[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > maxPlugins) return refuse(`"plugins" is not a list of 1 to ${maxPlugins} plugins`)
  return list.map((item: unknown) => (isRecord(item) ? parsePlugin({ ...item, name, cniVersion }, refuse) : refuse('"plugins" holds what is not a JSON object')))
}

function parsePlugin(whole: Readonly<Record<string, unknown>>, refuse: Refuse): PluginConf {
  const { capabilities = {}, ...conf } = whole
  const { type } = conf
  // SAFETY: the type becomes a file name beside the plugins.
  if (typeof type !== 'string' || !namePattern.test(type)) return refuse('"type" is missing or not the file name of a plugin')
  if (!isRecord(capabilities)) return refuse('"capabilities" is not a JSON object')
  return { type, conf, capabilities: Object.keys(capabilities).filter((key) => capabilities[key] === true) }
}

/** Whether a JSON value is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
