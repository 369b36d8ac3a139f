import { isIP } from 'node:net'
import { quote, RktError } from '../base/index.ts'
import type { App, ExposedPort, Port } from '../spec/index.ts'

/** One port of the host that is a pod's. */
export interface PortMapping {
  /** The name under which the port was exposed. */
  readonly name: string
  readonly protocol: 'tcp' | 'udp'
  /** `0.0.0.0` stands for every address of the host, of both families. */
  readonly hostIP: string
  readonly hostPort: number
  readonly podPort: number
  /** The app takes the host's own listening socket; nothing is forwarded. */
  readonly socketActivated: boolean
}

/** Every port costs a descriptor. */
const maxPorts = 512

/** What `hostIP` is when nothing is said. */
export const everyAddress = '0.0.0.0'

/**
 * The ports of the host that a pod asks for, one entry for each port of a range.
 *
 * `NAME` exposes a port, with `count` the whole range; `NAME-I` the I-th port of a range, from 0.
 *
 * @throws RktError `usage` for names that no app has, or several, for ports taken twice and for protocols that are not forwarded.
 */
export function resolvePorts(exposed: readonly ExposedPort[], apps: readonly Pick<App, 'ports'>[]): readonly PortMapping[] {
  const mappings: PortMapping[] = []
  for (const item of exposed) {
    const port = item.podPort ?? findPort(item.name, apps)
    for (const mapping of range(item, port)) {
      const taken = mappings.find((other) => conflicts(mapping, other))
      if (taken !== undefined) {
        throw new RktError('usage', `port ${mapping.protocol}-${mapping.hostIP}:${mapping.hostPort} already mapped to pod port ${taken.podPort}`)
      }
      if (mappings.length === maxPorts) throw new RktError('limit-exceeded', `cannot expose more than ${maxPorts} ports of one pod`)
      mappings.push(mapping)
    }
  }
  return mappings
}

function findPort(name: string, apps: readonly Pick<App, 'ports'>[]): Port {
  const found = apps.flatMap(({ ports }) => ports.flatMap((port) => portNamed(port, name)))
  const [port] = found
  if (port === undefined) {
    const known = apps.flatMap(({ ports }) => ports.map((one) => one.name))
    throw new RktError('usage', `port name ${quote(name)} could not be found in any apps`, {
      hint: known.length === 0 ? 'the manifests of the images name no ports' : `the apps have ${known.join(', ')}`,
    })
  }
  if (found.length > 1) throw new RktError('usage', `port name ${quote(name)} is used by several apps; expected one`)
  return port
}

/** The port or range of this name, or one port of a range. */
function portNamed(port: Port, name: string): readonly Port[] {
  if (port.name === name) return [port]
  const [, base, index = ''] = /^(.*)-([0-9]{1,5})$/.exec(name) ?? []
  return base === port.name && Number(index) < port.count ? [{ ...port, port: port.port + Number(index), count: 1 }] : []
}

function range({ name, hostPort, hostIP = everyAddress }: ExposedPort, port: Port): readonly PortMapping[] {
  const { protocol, socketActivated } = port
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw new RktError('usage', `cannot expose port ${quote(name)}: its protocol is ${quote(protocol)}; expected tcp or udp`)
  }
  const count = Math.max(1, port.count)
  if (hostPort + count > 65536) throw new RktError('usage', `cannot expose ${count} ports from ${hostPort}: the last is above 65535`)
  if (count > maxPorts) throw new RktError('limit-exceeded', `cannot expose more than ${maxPorts} ports of one pod`)
  return Array.from({ length: count }, (_, index) => ({ name, protocol, hostIP, hostPort: hostPort + index, podPort: port.port + index, socketActivated }))
}

/** Whether two ports are one port of the host. */
export function conflicts(a: Pick<PortMapping, 'protocol' | 'hostIP' | 'hostPort'>, b: Pick<PortMapping, 'protocol' | 'hostIP' | 'hostPort'>): boolean {
  return a.protocol === b.protocol && a.hostPort === b.hostPort && (a.hostIP === b.hostIP || isEvery(a.hostIP) || isEvery(b.hostIP))
}

function isEvery(address: string): boolean {
  return address === everyAddress || (isIP(address) === 6 && /^[0:]+$/.test(address))
}
