import { lstatSync, readdirSync, renameSync, rmSync, utimesSync, type Dirent } from 'node:fs'
import { binding } from '../../base/index.ts'
import { removeTree } from '../scratch.ts'
import { marksAt } from './marks.ts'

/**
 * Merges private copies of layer trees into the first of them, as overlay would show them, and removes the others; the topmost first,
 * all on one file system. Nothing follows a link. No mark of a layer is left.
 */
export function flattenTrees(paths: readonly string[]): void {
  const [top, ...rest] = paths
  if (top === undefined) return
  const hiding = new Set<string>()
  for (const path of rest) {
    merge(Buffer.from(top), Buffer.from(path), hiding)
    removeTree(path)
  }
  clean(Buffer.from(top))
}

/** `hiding` holds directories of the upper tree that show nothing more, because of what a layer that was merged into them says. */
function merge(upper: Buffer, lower: Buffer, hiding: Set<string>): void {
  if (hiding.has(key(upper))) return
  const [above, beneath] = [marksAt(upper), marksAt(lower)]
  // What is taken out of the lower directory changes its time, which the upper one may get.
  if (!above.opaque) keepingTime(lower, () => mergeEntries(upper, lower, hiding))
  if (above.unnamed) {
    binding().copyAttributes(lower, upper)
    if (!beneath.unnamed) binding().clearLayerMarks(upper)
  }
  if (above.opaque || beneath.opaque) hiding.add(key(upper))
}

function mergeEntries(upper: Buffer, lower: Buffer, hiding: Set<string>): void {
  keepingTime(upper, () => {
    for (const entry of entriesOf(lower)) {
      const [from, to] = [below(lower, entry.name), below(upper, entry.name)]
      const there = lstatSync(to, { throwIfNoEntry: false })
      if (there === undefined) renameSync(from, to)
      else if (there.isDirectory() && entry.isDirectory()) merge(to, from, hiding)
      // What is no directory in the lower layer hides all that lies deeper.
      else if (there.isDirectory()) hiding.add(key(to))
    }
  })
}

function clean(directory: Buffer): void {
  keepingTime(directory, () => {
    for (const entry of entriesOf(directory)) {
      const path = below(directory, entry.name)
      if (entry.isDirectory()) clean(path)
      else if (entry.isCharacterDevice() && marksAt(path).whiteout) rmSync(path)
    }
    binding().clearLayerMarks(directory)
  })
}

function key(path: Buffer): string {
  return path.toString('latin1')
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
