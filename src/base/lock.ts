import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { binding, LOCK_EX, LOCK_NB, LOCK_SH } from './binding.ts'
import { isErrno } from './errno.ts'
import { RktError } from './errors.ts'

export interface LockOptions {
  readonly mode: 'shared' | 'exclusive'
  /** `try` gives undefined instead of waiting. */
  readonly wait: 'block' | 'try'
}

/** A held BSD lock; ends with its descriptor, and so with the last process that inherited it. */
export interface Lock extends Disposable {
  readonly fd: number
}

/** Locks an open descriptor; the lock belongs to the open file description. Returns false only with `wait: 'try'`. */
export function lockDescriptor(fd: number, options: LockOptions): boolean {
  return binding().flock(fd, (options.mode === 'shared' ? LOCK_SH : LOCK_EX) | (options.wait === 'try' ? LOCK_NB : 0))
}

/**
 * Takes the lock of a lock file, which is made when missing; the file's identity is compared again after locking, so that a lock
 * on an unlinked file is never taken for the real one.
 *
 * @throws RktError `busy` when the file was replaced on every attempt.
 */
export function lockFile(path: string, options: LockOptions): Lock | undefined {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const fd = openLockFile(path)
    if (!lockDescriptor(fd, options)) {
      closeSync(fd)
      return undefined
    }
    if (isSameFile(fd, path)) return { fd, [Symbol.dispose]: () => closeSync(fd) }
    closeSync(fd)
  }
  throw new RktError('busy', `cannot lock ${JSON.stringify(path)}: it is replaced again and again`)
}

function openLockFile(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
  try {
    return openSync(path, flags, 0o600)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
    return openSync(path, flags, 0o600)
  }
}

function isSameFile(fd: number, path: string): boolean {
  const ours = fstatSync(fd)
  try {
    const there = statSync(path)
    return ours.dev === there.dev && ours.ino === there.ino
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
