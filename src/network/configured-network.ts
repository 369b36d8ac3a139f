import { parseStrictJson, quote, RktError } from '../base/index.ts'

/** A network that pods may ask for: one CNI plugin configuration. */
export interface ConfiguredNetwork {
  readonly name: string
  /** Plugin name: a plain file name. */
  readonly type: string
  /** File name, such as `99-default.conf`; networks are applied in the order of these names. */
  readonly fileName: string
  /** CNI protocol version of the configuration. */
  readonly cniVersion: string
  /** The whole configuration, with the keys that only its plugin understands. */
  readonly conf: Readonly<Record<string, unknown>>
  /** Whether the pod's packets leave the host under the host's address. */
  readonly masquerade: boolean
  /** One of ours, which no file describes. */
  readonly builtin: boolean
}

/** SPEC: CNI 1.0.0, "Network configuration format": the name starts with an alphanumeric character. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/** Versions whose results are understood here; a configuration without a version means the first. */
const cniVersions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0']

const specialNames = ['none', 'host', 'all']

/**
 * Reads the text of one `net.d/*.conf`.
 *
 * @throws RktError `invalid-config` or `invalid-json`, naming `path`.
 */
export function parseNetworkConf(bytes: Uint8Array, path: string): ConfiguredNetwork {
  const conf = parseStrictJson(bytes, { what: `network configuration ${quote(path)}` })
  const refuse = (state: string): never => {
    throw new RktError('invalid-config', `cannot use network configuration ${quote(path)}: ${state}`)
  }
  if (!isRecord(conf)) return refuse('not a JSON object')
  const { name, type, cniVersion = '0.1.0' } = conf
  // SAFETY: the name becomes a directory of the address manager, the type a file name beside the plugins.
  if (typeof name !== 'string' || !namePattern.test(name)) return refuse('"name" is missing or has other characters than A-Z a-z 0-9 _ . -')
  if (specialNames.includes(name)) return refuse(`the name ${quote(name)} is reserved`)
  if (typeof type !== 'string' || !namePattern.test(type)) return refuse('"type" is missing or not the file name of a plugin')
  if (typeof cniVersion !== 'string' || !cniVersions.includes(cniVersion)) {
    return refuse(`"cniVersion" is ${quote(JSON.stringify(cniVersion))}; expected one of ${cniVersions.join(', ')}`)
  }
  return { name, type, cniVersion, conf, fileName: path.slice(path.lastIndexOf('/') + 1), masquerade: conf['ipMasq'] === true, builtin: false }
}

/** Whether a JSON value is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
