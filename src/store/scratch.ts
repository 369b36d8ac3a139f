import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { binding, isErrno, lockDescriptor, syncDirectory, writeWhole } from '../base/index.ts'
import type { Layout } from './layout.ts'

/** A directory of our own below `cas/tmp`, locked while we live: whoever finds it unlocked may remove it. */
export interface Scratch extends Disposable {
  readonly path: string
  /** Writes a whole file into its place: temporary file here, fsync, rename, fsync of the target's directory. */
  place(target: string, content: string | Uint8Array, mode: number): void
  /** Makes everything durable that was written to this file system. */
  sync(): void
}

const lockedDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Makes a scratch directory; removed with everything in it when disposed. */
export function makeScratch(layout: Layout): Scratch {
  const { path, fd } = makeLocked(layout)
  return {
    path,
    place: (target, content, mode) => placeFile(path, { target, content, mode }),
    sync: () => binding().syncfs(fd),
    [Symbol.dispose]: () => {
      removeTree(path)
      closeSync(fd)
    },
  }
}

/** A collector may remove the directory between its making and its locking: then another one is made. */
function makeLocked(layout: Layout): { readonly path: string; readonly fd: number } {
  for (;;) {
    const path = join(layout.scratch, `work-${randomBytes(12).toString('hex')}`)
    mkdirSync(path, { mode: 0o700 })
    const fd = openOrUndefined(path)
    if (fd === undefined) continue
    if (lockDescriptor(fd, { mode: 'exclusive', wait: 'try' }) && isSame(fd, path)) return { path, fd }
    closeSync(fd)
  }
}

/** Removes a scratch entry whose maker is gone. Returns whether it did. */
export function removeAbandoned(path: string): boolean {
  const fd = openOrUndefined(path)
  if (fd === undefined) return false
  try {
    if (!lockDescriptor(fd, { mode: 'exclusive', wait: 'try' })) return false
    removeTree(path)
    return true
  } finally {
    closeSync(fd)
  }
}

/** Removes a directory tree of any depth; links are removed, never followed. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

function placeFile(scratch: string, { target, content, mode }: { readonly target: string; readonly content: string | Uint8Array; readonly mode: number }): void {
  const temporary = join(scratch, randomBytes(8).toString('hex'))
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode)
  try {
    writeWhole(fd, typeof content === 'string' ? Buffer.from(content) : content)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, target)
  syncDirectory(dirname(target))
}

function openOrUndefined(path: string): number | undefined {
  try {
    return openSync(path, lockedDirectory)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined
    throw error
  }
}

function isSame(fd: number, path: string): boolean {
  const ours = fstatSync(fd)
  const there = statSync(path, { throwIfNoEntry: false })
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev
}
