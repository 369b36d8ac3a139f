import { createReadStream, lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { binding } from '../../base/index.ts'
import { treePath, type Layout } from '../layout.ts'
import type { TreeID } from '../tree-id.ts'
import { marksAt } from './marks.ts'

/**
 * Finds the directories whose attributes overlay would show wrongly: a layer that has a file in them did not name them, and their
 * attributes are those of a layer below. Gives for each, as it has to be made, the directory from which its attributes come; parents first.
 * `layers` are trees, the topmost first.
 */
export async function findUnnamed(layout: Layout, layers: readonly TreeID[]): Promise<ReadonlyMap<string, Buffer>> {
  const roots = layers.map((id) => Buffer.from(join(treePath(layout, id), 'rootfs')))
  const found = new Map<string, Buffer>()
  const seen = new Set<string>()
  for (const id of layers.slice(0, -1)) {
    for await (const path of unnamedIn(join(treePath(layout, id), 'listing'))) {
      if (seen.has(path)) continue
      seen.add(path)
      addPath(found, roots, path.split('/'))
    }
  }
  return found
}

/** Makes a tree of nothing but these directories in a new directory. */
export function makeNamed(rootfs: string, directories: ReadonlyMap<string, Buffer>): void {
  mkdirSync(rootfs, { mode: 0o755 })
  const placed = [...directories].map(([path, from]) => ({ to: below(Buffer.from(rootfs), path), from }))
  for (const { to } of placed) mkdirSync(to, { mode: 0o700 })
  // What is made in a directory changes its time: the deepest first.
  for (const { to, from } of placed.toReversed()) binding().copyAttributes(from, to)
}

/** Paths are bytes, one character each. */
async function* unnamedIn(listing: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(listing), crlfDelay: Infinity })) {
    if (!line.startsWith('d ') || !line.includes(' user.overlay.rkt-unnamed=')) continue
    const path = line.split(' ', 7)[6]?.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    // The root's own attributes are those of the upper directory.
    if (path !== undefined && path.startsWith('rootfs/')) yield path.slice('rootfs/'.length)
  }
}

function addPath(found: Map<string, Buffer>, roots: readonly Buffer[], names: readonly string[]): void {
  let here = roots
  const ancestors: { readonly path: string; readonly source: Buffer }[] = []
  for (const [index, name] of names.entries()) {
    const shown = shownAt(here, name)
    const [top] = shown
    if (top === undefined) return
    const source = shown.find((path) => !marksAt(path).unnamed) ?? top
    ancestors.push({ path: names.slice(0, index + 1).join('/'), source })
    if (index === names.length - 1 && source === top) return
    here = upToOpaque(shown)
  }
  for (const { path, source } of ancestors) if (!found.has(path)) found.set(path, source)
}

/** The directories that make up the one of this name, also those beneath an opaque one. */
function shownAt(directories: readonly Buffer[], name: string): readonly Buffer[] {
  const shown: Buffer[] = []
  for (const directory of directories) {
    const path = below(directory, name)
    const kind = lstatSync(path, { throwIfNoEntry: false })
    if (kind === undefined) continue
    if (!kind.isDirectory()) break
    shown.push(path)
  }
  return shown
}

function upToOpaque(directories: readonly Buffer[]): readonly Buffer[] {
  const at = directories.findIndex((path) => marksAt(path).opaque)
  return at < 0 ? directories : directories.slice(0, at + 1)
}

function below(directory: Buffer, path: string): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), Buffer.from(path, 'latin1')])
}
