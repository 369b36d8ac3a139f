import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { quote, RktError } from '../base/index.ts'
import { type Keeper, type Place, startKeeper } from './keeper.ts'
import { batch } from './netfilter/message.ts'
import { newTable } from './netfilter/table.ts'
import { everyAddress, type PortMapping } from './resolve-ports.ts'

export interface ClaimOptions {
  /** Of the table with the packet rules. */
  readonly table: string
  /** Those that the pod gets forwarded. */
  readonly ports: readonly PortMapping[]
  /** UUID of the running pod that holds a port; undefined for a port of somebody else. */
  readonly ownerOf: (port: PortMapping) => string | undefined
  readonly signal: AbortSignal
}

/** Ports of the host that are ours until this process, or the launcher that it becomes, ends. */
export interface PortClaims {
  readonly keeper: Keeper
  /** What is bound on the host, and for which port. */
  readonly claims: readonly { readonly place: Place; readonly port: PortMapping }[]
}

const attempts = 5
const pauseMs = 30

/**
 * Takes ports of the host: from here on no other program can, and whoever had one before is told of.
 *
 * @throws RktError `busy` naming the pod that has the port, `network-setup`.
 */
export async function claimPorts({ table, ports, ownerOf, signal }: ClaimOptions): Promise<PortClaims> {
  const claims = ports.flatMap((port) => hostAddresses(port.hostIP).map((ip) => ({ place: { protocol: port.protocol, ip, port: port.hostPort }, port })))
  const first = { claims: claims.map(({ place }) => place), batch: batch(newTable(table)), signal }
  for (let attempt = 1; ; attempt += 1) {
    const keeper = await startKeeper(first)
    if (keeper.kind === 'keeper') return { keeper, claims }
    const port = claims[keeper.index]?.port
    if (port === undefined) throw new Error('the keeper failed at a port that it was not given')
    const owner = ownerOf(port)
    // A pod that has just ended, and is being started again, gives its ports back a moment after its end was seen.
    if (keeper.errno !== 'EADDRINUSE' || owner !== undefined || attempt === attempts) throw claimError(port, { errno: keeper.errno, owner })
    await sleep(pauseMs, undefined, { signal })
  }
}

/** Both families stand for every address; where the kernel has no IPv6 there is one. */
function hostAddresses(hostIP: string): readonly string[] {
  if (hostIP !== everyAddress) return [hostIP]
  return existsSync('/proc/net/if_inet6') ? [everyAddress, '::'] : [everyAddress]
}

function claimError(port: PortMapping, { errno, owner }: { readonly errno: string; readonly owner: string | undefined }): RktError {
  const name = `${port.protocol} port ${isIP(port.hostIP) === 6 ? `[${port.hostIP}]` : port.hostIP}:${port.hostPort}`
  if (owner !== undefined) return new RktError('busy', `cannot expose ${name}: pod ${quote(owner)} has it`, { hint: `stop it with: rkt stop ${owner}` })
  switch (errno) {
    case 'EADDRINUSE':
      return new RktError('busy', `cannot expose ${name}: another program of this host uses it`, {
        hint: `this shows which: ss --${port.protocol} --listening --processes 'sport = :${port.hostPort}'`,
      })
    case 'EADDRNOTAVAIL':
      return new RktError('network-setup', `cannot expose ${name}: no interface of this host has this address`)
    default:
      return new RktError('network-setup', `cannot expose ${name}: ${errno}`)
  }
}
