import { chownSync, lstatSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { connect, type AddressInfo, type Server } from 'node:net'
import { errorText, isErrno, quote, RktError } from '../../base/index.ts'
import type { ListenAddress } from './address.ts'

export interface ListenOptions {
  /** Whose members may connect to a socket at a path; without it, root's. */
  readonly groupID: number | undefined
}

/**
 * Listens, and tells where in the words of the original.
 *
 * @throws RktError `busy` for an address that is taken, `network`.
 */
export async function listen(server: Server, address: ListenAddress, { groupID }: ListenOptions): Promise<string> {
  switch (address.kind) {
    case 'tcp':
      await listening(server, { host: address.host, port: address.port }, `${address.host} port ${address.port}`)
      break
    case 'path':
      await listenOnPath(server, address.path, groupID)
      break
    case 'descriptor':
      await listening(server, { fd: address.fd }, `descriptor ${address.fd}`)
      break
  }
  return describe(server.address(), address)
}

/** Whether an address does not exist here at all, as `::1` where IPv6 is off. */
export function isMissingAddress(error: unknown): boolean {
  return error instanceof RktError && isErrno(error.cause, 'EADDRNOTAVAIL', 'EAFNOSUPPORT')
}

function describe(bound: AddressInfo | string | null, address: ListenAddress): string {
  if (typeof bound === 'string' && bound !== '') return bound
  if (address.kind === 'descriptor' && (bound === null || typeof bound === 'string')) return unixPath(address.fd) ?? `descriptor ${address.fd}`
  if (bound === null || typeof bound === 'string') throw new Error('a socket that listens has an address')
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`
}

/** Where a passed Unix socket lies, which Node does not tell; undefined for one without a path. */
function unixPath(fd: number): string | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]
  const line = readFileSync('/proc/self/net/unix', 'utf8').split('\n').find((text) => text.trim().split(/\s+/)[6] === inode)
  return line?.trim().split(/\s+/)[7]
}

async function listenOnPath(server: Server, path: string, groupID: number | undefined): Promise<void> {
  await removeStale(path)
  const before = process.umask(0o117)
  try {
    await listening(server, { path }, quote(path))
  } finally {
    process.umask(before)
  }
  if (groupID !== undefined && process.geteuid?.() === 0) chownSync(path, 0, groupID)
}

/** A socket that nobody listens on was left by a service that was killed. */
async function removeStale(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket()) throw new RktError('network', `cannot listen on ${quote(path)}: it is not a socket`)
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
  if (answers) throw new RktError('busy', `cannot listen on ${quote(path)}: a service runs there already`)
  rmSync(path)
}

async function listening(server: Server, where: Parameters<Server['listen']>[0], name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => reject(new RktError(isErrno(cause, 'EADDRINUSE') ? 'busy' : 'network', `cannot listen on ${name}: ${errorText(cause)}`, { cause }))
    server.once('error', fail)
    server.listen(where, () => {
      server.removeListener('error', fail)
      // ATTACK: accept(2) fails when descriptors run out; that ends no service.
      server.on('error', () => undefined)
      resolve()
    })
  })
}
