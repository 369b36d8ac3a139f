import { fstatSync, statSync } from 'node:fs'
import { binding, isErrno, LOCK_UN, lockDescriptor } from '../base/index.ts'

/** How long a lock may stay in foreign hands before its holder counts as more than a passing reader. */
const readersPassMs = 500

/** Whether some process holds the pod's lock; the question itself is a shared lock that is dropped at once. */
export function isHeld(fd: number): boolean {
  if (!lockDescriptor(fd, { mode: 'shared', wait: 'try' })) return true
  binding().flock(fd, LOCK_UN)
  return false
}

/**
 * Takes the exclusive lock of a pod directory unless its holder keeps it: readers who test the lock pass within microseconds, but a
 * blocking flock(2) would also wait for the whole life of a pod that another process has started meanwhile.
 *
 * `path` is where the directory is expected; the wait ends as soon as it is somewhere else.
 */
export function lockExclusively(fd: number, path: string): boolean {
  const deadline = performance.now() + readersPassMs
  for (;;) {
    if (lockDescriptor(fd, { mode: 'exclusive', wait: 'try' })) return true
    if (!isAt(fd, path) || performance.now() > deadline) return false
    Atomics.wait(pause, 0, 0, 1)
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Whether `path` still leads to the directory that is open as `fd`. */
export function isAt(fd: number, path: string): boolean {
  const ours = fstatSync(fd)
  try {
    const there = statSync(path)
    return ours.ino === there.ino && ours.dev === there.dev
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
