import { randomBytes } from 'node:crypto'
import { type Dirent, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { errorText, isErrno, quote, RktError } from '../base/index.ts'

export interface EmptyOptions {
  /** Names of entries that stay. */
  readonly keep: readonly string[]
  /** How messages name the directory. */
  readonly shownAs: string
}

/**
 * Empties the directory that `base` names, except for the entries in `keep`. Symbolic links are removed, never followed; nothing
 * is removed across a mount point.
 *
 * A directory that is not empty is renamed to the top and emptied there, so neither a path that an app made too long for the kernel
 * nor the depth of a tree can stop it, and after a crash the rest is still in `base`. Names are bytes: an app's files need no
 * encoding.
 *
 * @throws RktError `io` for the first entry that cannot be removed, after all others were.
 */
export function emptyDirectory(base: string, { keep, shownAs }: EmptyOptions): void {
  const state: Removal = { base: Buffer.from(`${base}/`), failures: [] }
  for (const entry of entriesOf(state.base)) {
    if (!keep.includes(entry.name.toString('latin1'))) removeEntry(state, state.base, entry)
  }
  const [first] = state.failures
  if (first !== undefined) {
    const others = state.failures.length > 1 ? ` (and ${state.failures.length - 1} more)` : ''
    const path = `${shownAs}/${first.path.subarray(state.base.length).toString()}`
    throw new RktError('io', `cannot remove ${quote(path)}: ${errorText(first.cause)}${others}`, { cause: first.cause })
  }
}

interface Removal {
  /** With a slash at the end. */
  readonly base: Buffer
  readonly failures: { readonly path: Buffer; readonly cause: unknown }[]
}

type Entry = Dirent<Buffer>

function removeEntry(state: Removal, directory: Buffer, entry: Entry): void {
  const path = Buffer.concat([directory, entry.name])
  try {
    if (entry.isDirectory()) removeDirectory(state, path)
    else unlinkSync(path)
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) state.failures.push({ path, cause })
  }
}

function removeDirectory(state: Removal, path: Buffer): void {
  if (tryRmdir(path)) return
  const pending = [path]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const directory = Buffer.concat([next, slash])
    const failuresBefore = state.failures.length
    for (const entry of entriesOf(directory)) {
      if (!entry.isDirectory()) {
        removeEntry(state, directory, entry)
        continue
      }
      const child = Buffer.concat([directory, entry.name])
      try {
        if (!tryRmdir(child)) pending.push(toTop(state, child))
      } catch (cause) {
        state.failures.push({ path: child, cause })
      }
    }
    if (state.failures.length === failuresBefore) rmdirSync(next)
  }
}

function toTop(state: Removal, path: Buffer): Buffer {
  const top = Buffer.concat([state.base, Buffer.from(`.removing-${randomBytes(8).toString('hex')}`)])
  renameSync(path, top)
  return top
}

/** False when the directory is not empty. */
function tryRmdir(path: Buffer): boolean {
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
    if (isErrno(error, 'ENOENT')) return true
    throw error
  }
}

function entriesOf(directory: Buffer): Entry[] {
  return readdirSync(directory, { encoding: 'buffer', withFileTypes: true })
}

const slash = Buffer.from('/')
