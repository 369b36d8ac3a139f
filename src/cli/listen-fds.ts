import { RktError } from '../base/index.ts'
import type { World } from './context.ts'

/** More would be a mistake, or one value that was meant for another variable. */
const maxSockets = 64

/**
 * The listening sockets that a supervisor has passed to this very process; SPEC: sd_listen_fds(3).
 *
 * @throws RktError `usage` for a number that no supervisor gives.
 */
export function listenFds({ env }: Pick<World, 'env'>): readonly number[] {
  const text = env['LISTEN_FDS'] ?? ''
  if (text === '' || env['LISTEN_PID'] !== String(process.pid)) return []
  const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(count <= maxSockets)) throw new RktError('usage', `cannot use LISTEN_FDS=${JSON.stringify(text)}: expected a number up to ${maxSockets}`)
  return Array.from({ length: count }, (_, index) => 3 + index)
}
