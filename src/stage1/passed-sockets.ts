import { readFileSync, readlinkSync } from 'node:fs'
import { isErrno } from '../base/index.ts'
import { resolvePorts } from '../network/index.ts'
import type { PreparedApp, PreparedPod } from '../pod/index.ts'

/** A socket that a supervisor has opened and passed to us. */
export interface PassedSocket {
  readonly fd: number
  readonly protocol: 'tcp' | 'udp'
  /** Of the host. */
  readonly port: number
  /** From LISTEN_FDNAMES; else `unknown`, as systemd has it. */
  readonly name: string
}

/** SPEC: sd_listen_fds(3). */
const firstFd = 3

/**
 * The IP sockets that LISTEN_FDS announces to this process; sockets of other kinds are left out.
 *
 * @param env the caller's environment.
 */
export function passedSockets(env: Readonly<Record<string, string | undefined>>, pid: number): readonly PassedSocket[] {
  const count = Number(env['LISTEN_FDS'] ?? '0')
  if (env['LISTEN_PID'] !== String(pid) || !Number.isInteger(count) || count < 1 || count > 1024) return []
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':')
  const ports = boundPorts()
  return Array.from({ length: count }, (_, index) => firstFd + index).flatMap((fd, index): PassedSocket[] => {
    const bound = ports.get(inodeOf(fd) ?? '')
    return bound === undefined ? [] : [{ fd, ...bound, name: names[index] || 'unknown' }]
  })
}

function inodeOf(fd: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Local ports by inode, from the tables of proc_net(5). */
function boundPorts(): ReadonlyMap<string, Pick<PassedSocket, 'protocol' | 'port'>> {
  const found = new Map<string, Pick<PassedSocket, 'protocol' | 'port'>>()
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
    const protocol = table.startsWith('tcp') ? 'tcp' : 'udp'
    for (const line of readTable(`/proc/self/net/${table}`)) {
      const [, local, , , , , , , , inode] = line.trim().split(/\s+/)
      const port = /:([0-9A-F]{4})$/.exec(local ?? '')?.[1]
      if (port !== undefined && inode !== undefined) found.set(inode, { protocol, port: Number.parseInt(port, 16) })
    }
  }
  return found
}

/** KERNEL: without IPv6 its tables are not there. */
function readTable(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** Those of the sockets that belong to an app: at the ports of the host that the pod exposes for its `socketActivated` ports. */
export function passedTo({ manifest }: Pick<PreparedPod, 'manifest'>, { app }: Pick<PreparedApp, 'app'>, sockets: readonly PassedSocket[]): readonly PassedSocket[] {
  if (sockets.length === 0) return []
  const own = manifest.ports.filter(({ name }) => app.ports.some((port) => port.socketActivated && (port.name === name || name.startsWith(`${port.name}-`))))
  return resolvePorts(own, [app]).flatMap(({ protocol, hostPort, name }) => {
    const socket = sockets.find((candidate) => candidate.protocol === protocol && candidate.port === hostPort)
    return socket === undefined ? [] : [{ ...socket, name: socket.name === 'unknown' ? name : socket.name }]
  })
}
