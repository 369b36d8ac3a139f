import { accessSync, constants } from 'node:fs'
import { isErrno, quote, RktError } from '../base/index.ts'
import type { PodNetworks } from './add-networks.ts'
import { maskText, writeNetInfo } from './net-info.ts'
import type { NetRequest } from './net-flag.ts'
import { writePortRecord } from './port-record.ts'
import { everyAddress, type PortMapping } from './resolve-ports.ts'

/** The network of an ordinary user's pod: a program that passes packets on as connections of its own, without any right on the host. */
export interface UserNetwork {
  /** Absolute program first; `@init@` stands for the number of the pod's first process. */
  readonly argv: readonly string[]
  /** How the program says that the network is there. */
  readonly ready: 'background' | 'descriptor'
  readonly connected: PodNetworks
  readonly ports: readonly PortMapping[]
}

/** What a pod has in this network; the addresses are those of slirp4netns, which cannot be told others one by one. */
const pod = { ip: '10.0.2.100', prefixLength: 24, gateway: '10.0.2.2', dns: '10.0.2.3', ifName: 'eth0' } as const

const name = 'default'

export interface UserNetworkOptions {
  readonly ports: readonly PortMapping[]
  /** Directories that may hold the programs; by default those of the system. */
  readonly directories?: readonly string[]
}

/**
 * Plans the network of an ordinary user's pod.
 *
 * ATTACK: services that listen on the loopback of the host trust whoever reaches them: no address of the pod leads there.
 *
 * @throws RktError `network-setup` for networks that only root can make and without a usable /dev/net/tun, `missing-tool` without pasta and slirp4netns, `unsupported` for
 * ports without pasta.
 */
export function planUserNetwork(request: Extract<NetRequest, { kind: 'networks' }>, { ports, directories = ['/usr/bin', '/usr/local/bin'] }: UserNetworkOptions): UserNetwork {
  const other = request.names.find((asked) => asked.name !== name || asked.args !== '')
  if (other !== undefined) {
    throw new RktError('network-setup', `failed to setup network: network ${quote(other.name)} needs rights of root on the host`, {
      hint: 'an ordinary user has --net=default, --net=host and --net=none',
    })
  }
  requireTunnel()
  const pasta = findProgram('pasta', directories)
  if (pasta !== undefined) return { argv: [pasta, ...pastaFlags(ports)], ready: 'background', connected: connectedBy(pasta), ports }
  const slirp = findProgram('slirp4netns', directories)
  if (slirp === undefined) {
    throw new RktError('missing-tool', 'cannot connect the pod to a network: neither pasta nor slirp4netns is installed', {
      hint: 'install one of them (Debian packages passt, slirp4netns), or use --net=none or --net=host',
    })
  }
  if (ports.length > 0) {
    throw new RktError('unsupported', 'cannot expose ports of the pod: slirp4netns does not; expected pasta', { hint: 'install it (Debian package passt)' })
  }
  return { argv: [slirp, ...slirpFlags], ready: 'descriptor', connected: connectedBy(slirp), ports }
}

/** Writes down what `list` and `status` show of the network. */
export function recordUserNetwork(podDir: string, { connected, ports }: UserNetwork): void {
  writeNetInfo(podDir, connected.interfaces)
  if (ports.length > 0) writePortRecord(podDir, { rules: 'plugin', ports: ports.map((port) => ({ ...port, podIP: pod.ip })) })
}

/** Both programs make their end of the link with this device. */
const tunnel = '/dev/net/tun'

function requireTunnel(): void {
  try {
    accessSync(tunnel, constants.R_OK | constants.W_OK)
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'EACCES', 'EPERM')) throw cause
    throw new RktError('network-setup', `cannot connect the pod to a network: ${quote(tunnel)} cannot be opened by ordinary users`, {
      cause,
      hint: `let root make it so (modprobe tun; chmod 666 ${tunnel}), or use --net=none or --net=host`,
    })
  }
}

function findProgram(program: string, directories: readonly string[]): string | undefined {
  return directories.map((directory) => `${directory}/${program}`).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return false
      throw error
    }
  })
}

/** SPEC: passt(1). No port of the host's loopback leads out of the pod (`--tcp-ns`, `--udp-ns`), nor does the gateway's address to it. */
function pastaFlags(ports: readonly PortMapping[]): readonly string[] {
  const forwarded = (protocol: PortMapping['protocol'], flag: string): readonly string[] => {
    const specs = ports.filter((port) => port.protocol === protocol).map(({ hostIP, hostPort, podPort }) => `${hostIP === everyAddress ? '' : `${hostIP}/`}${hostPort}:${podPort}`)
    return specs.length === 0 ? [flag, 'none'] : specs.flatMap((spec) => [flag, spec])
  }
  return [
    '--quiet',
    '--config-net',
    '--ipv4-only',
    ...['--address', pod.ip, '--netmask', String(pod.prefixLength), '--gateway', pod.gateway],
    ...['--ns-ifname', pod.ifName],
    ...['--no-map-gw', '--no-dhcp', '--no-ndp', '--no-dhcpv6', '--no-ra'],
    ...['--dns-forward', pod.dns],
    ...['--tcp-ns', 'none', '--udp-ns', 'none'],
    ...forwarded('tcp', '--tcp-ports'),
    ...forwarded('udp', '--udp-ports'),
    '@init@',
  ]
}

/** SPEC: slirp4netns(1). */
const slirpFlags = [
  '--configure',
  '--mtu=65520',
  '--disable-host-loopback',
  '--enable-sandbox',
  '--enable-seccomp',
  '--ready-fd=3',
  '--userns-path=/proc/@init@/ns/user',
  '@init@',
  pod.ifName,
] as const

function connectedBy(program: string): PodNetworks {
  const { ip, prefixLength, gateway, dns, ifName } = pod
  const settings = { nameservers: [dns], search: [], options: [] }
  const mask = maskText(ip, prefixLength)
  return {
    interfaces: [{ netName: name, netConf: '', pluginPath: program, ifName, ip, args: '', mask, hostIP: gateway, addresses: [{ ip, prefixLength }], dns: settings }],
    dns: { networkName: name, settings },
  }
}
