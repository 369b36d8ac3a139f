import { closeSync, constants, openSync } from 'node:fs'
import { binding, type Lock, LOCK_UN, lockFile } from '../base/index.ts'
import { runChild } from './child.ts'

/**
 * Waits until nobody holds the exclusive lock of the open directory `fd`.
 *
 * @throws the signal's reason; RktError `missing-tool`, `child-failed`.
 */
export async function untilUnlocked(fd: number, signal: AbortSignal): Promise<void> {
  try {
    await shareLock(fd, signal)
  } finally {
    binding().flock(fd, LOCK_UN)
  }
}

/**
 * Takes the shared lock of a lock file that is never removed, however long another process holds it exclusively.
 *
 * @throws as `untilUnlocked`.
 */
export async function lockShared(path: string, signal: AbortSignal | undefined): Promise<Lock> {
  const free = lockFile(path, { mode: 'shared', wait: 'try' })
  if (free !== undefined) return free
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await shareLock(fd, signal)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}

/**
 * Takes the exclusive lock of a lock file that is never removed, however long others hold it.
 *
 * @throws as `untilUnlocked`.
 */
export async function lockFileExclusively(path: string, signal: AbortSignal): Promise<Lock> {
  const free = lockFile(path, { mode: 'exclusive', wait: 'try' })
  if (free !== undefined) return free
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await runChild(['/usr/bin/flock', '--exclusive', '3'], { action: 'wait for a lock', fd, signal })
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}

/**
 * The kernel tells the end of a lock only to a flock(2) that blocks, which would stop this process and every signal to it. So
 * flock(1) blocks instead: the descriptor that it inherits carries the lock for both.
 */
async function shareLock(fd: number, signal: AbortSignal | undefined): Promise<void> {
  await runChild(['/usr/bin/flock', '--shared', '3'], { action: 'wait for a lock', fd, signal })
}
