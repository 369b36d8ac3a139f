import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorText, isErrno, mappedIdCount, quote, RktError, writeDurably } from '../base/index.ts'
import type { Layout } from './layout.ts'

/** The only format that this version reads and writes. */
const formatText = '1\n'

/**
 * Makes what is missing of the store's directories. Members of the group `rkt` may list, fetch and remove images; trees are for root.
 * The scratch directory is sticky besides: nobody may swap what another user is about to import. So are the directories of directories:
 * a member who could put a link in the place of one would choose where root writes.
 *
 * @throws RktError `io` when a directory cannot be made, `unsupported` for a data directory of another format.
 */
export function makeDirectories(layout: Layout): void {
  try {
    for (const [path, mode] of [
      // What is an ordinary user's own is nobody else's to look at.
      [layout.data, mappedIdCount() === undefined ? 0o2750 : 0o700],
      [dirname(layout.images), 0o3770],
      [dirname(layout.blobs), 0o3770],
      [layout.blobs, 0o2770],
      [layout.ociBlobs, 0o2770],
      [layout.images, 0o2770],
      [layout.imageLocks, 0o2770],
      [layout.scratch, 0o3770],
      [layout.trees, 0o2700],
      [layout.treeLocks, 0o2700],
    ] as const) {
      makeDirectory(path, mode)
    }
    checkFormat(layout, { create: true })
  } catch (cause) {
    if (cause instanceof RktError) throw cause
    throw new RktError('io', `cannot make data directory ${quote(layout.data)}: ${errorText(cause)}`, { cause })
  }
}

/**
 * Refuses a data directory whose layout this version does not know.
 *
 * @throws RktError `unsupported`, `io`.
 */
export function checkFormat(layout: Layout, options: { readonly create: boolean }): void {
  let found: string
  try {
    found = readFileSync(layout.format, 'utf8')
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') && options.create) return writeDurably(layout.format, formatText, { mode: 0o644 })
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return
    throw new RktError('io', `cannot read ${quote(layout.format)}: ${errorText(cause)}`, { cause })
  }
  if (found === formatText) return
  throw new RktError('unsupported', `cannot use data directory ${quote(layout.data)}: its format is ${quote(found.slice(0, 40).trim())}; expected "1"`, {
    hint: 'use the version of rkt that made it, or another directory with --dir',
  })
}

/** An existing directory keeps the mode that its administrator gave it. */
function makeDirectory(path: string, mode: number): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return
    throw error
  }
  const gid = groupOfRkt()
  if (gid !== undefined) chownSync(path, -1, gid)
  chmodSync(path, mode)
}

/** The group that shares the store, when the machine has it and we may give it away. */
export function groupOfRkt(): number | undefined {
  if (process.geteuid?.() !== 0 || mappedIdCount() !== undefined) return undefined
  try {
    const line = /^rkt:[^:]*:([0-9]{1,10}):/m.exec(readFileSync('/etc/group', 'utf8'))
    return line?.[1] === undefined ? undefined : Number(line[1])
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
