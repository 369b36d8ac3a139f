import { lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync, utimesSync, type Dirent } from 'node:fs'
import { posix } from 'node:path'

/**
 * Removes every file of a tree whose path is missing in one of the white lists, and every directory that then leads to nothing and is
 * not listed itself. Names are bytes; links are removed or kept, never followed.
 */
export function keepOnly(tree: string, whiteLists: readonly (readonly string[])[]): void {
  if (whiteLists.length === 0) return
  const lists = whiteLists.map((list) => new Set(list.map(asKey)))
  prune(Buffer.from(tree), { path: '', isListed: (path) => lists.every((list) => list.has(path)) })
}

/** A path of a white list, as the bytes of names are joined here. */
function asKey(path: string): string {
  const clean = posix.join('/', path)
  return Buffer.from(clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean).toString('latin1')
}

interface Pruning {
  /** Of the directory in the tree; empty at the top. */
  readonly path: string
  readonly isListed: (path: string) => boolean
}

/** Returns whether anything is left in the directory. */
function prune(directory: Buffer, { path, isListed }: Pruning): boolean {
  let left = false
  keepingTime(directory, () => {
    for (const entry of entriesOf(directory)) {
      const place = below(directory, entry.name)
      const inside = `${path}/${entry.name.toString('latin1')}`
      if (entry.isDirectory()) {
        if (prune(place, { path: inside, isListed }) || isListed(inside)) left = true
        else rmdirSync(place)
      } else if (isListed(inside)) {
        left = true
      } else {
        unlinkSync(place)
      }
    }
  })
  return left
}

/**
 * Moves into `upper` what it does not have: a file above hides what lies below it, directories are merged, and a directory below a
 * file or link is hidden whole. Both are private directories of one file system.
 */
export function mergeBelow(upper: string, lower: string): void {
  merge(Buffer.from(upper), Buffer.from(lower))
}

function merge(upper: Buffer, lower: Buffer): void {
  keepingTime(upper, () => {
    for (const entry of entriesOf(lower)) {
      const from = below(lower, entry.name)
      const to = below(upper, entry.name)
      const there = lstatSync(to, { throwIfNoEntry: false })
      if (there === undefined) renameSync(from, to)
      else if (there.isDirectory() && entry.isDirectory()) merge(to, from)
    }
  })
}

/** What is done in a directory does not change its time: that is the image's. */
function keepingTime(directory: Buffer, act: () => void): void {
  const { atime, mtime } = lstatSync(directory)
  act()
  utimesSync(directory, atime, mtime)
}

function entriesOf(directory: Buffer): Dirent<Buffer>[] {
  return readdirSync(directory, { encoding: 'buffer', withFileTypes: true })
}

function below(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name])
}
