import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../base/index.ts'
import { treePath, type Layout } from '../layout.ts'
import { takeLock } from '../locks.ts'
import { isRendered } from '../rendered.ts'
import { makeScratch } from '../scratch.ts'
import { layerTreeID, treeIDOf, type TreeID } from '../tree-id.ts'
import { installTree } from '../tree.ts'
import { listTree } from '../unpack.ts'
import { readLayerFacts } from './layer-tree.ts'
import { marksAt } from './marks.ts'
import { findUnnamed, makeNamed } from './named-directories.ts'

/** What pods call the root of an image with these layers, the lowest first. */
export function stackID(diffIDs: readonly Digest[]): TreeID {
  return treeIDOf(diffIDs.map(layerTreeID).toReversed())
}

export interface StackTreesOptions {
  /** Of rendered layers, the lowest first. */
  readonly diffIDs: readonly Digest[]
  readonly signal: AbortSignal
}

/**
 * The trees that overlay puts an app's root together from, the topmost first: those of the layers, down to one that hides all below,
 * and on top of them, where overlay alone would show wrong attributes, a tree of directories that has the right ones.
 */
export async function stackTrees(layout: Layout, { diffIDs, signal }: StackTreesOptions): Promise<readonly TreeID[]> {
  const facts = diffIDs.map((diffID) => ({ id: layerTreeID(diffID), ...readLayerFacts(layout, diffID) })).toReversed()
  const last = facts.findIndex(({ opaqueRoot }) => opaqueRoot)
  // A layer that lies there twice shows what it shows the first time.
  const shown = [...new Map((last < 0 ? facts : facts.slice(0, last + 1)).map((layer) => [layer.id, layer])).values()]
  const layers = shown.map(({ id }) => id)
  if (!shown.slice(0, -1).some(({ id, unnamed }) => unnamed > rootCount(layout, id))) return layers
  const id = stackID(diffIDs)
  using _lock = await takeLock(layout, { kind: 'tree', id }, signal)
  if (isRendered(layout, id)) return [id, ...layers]
  const directories = await findUnnamed(layout, layers)
  if (directories.size === 0) return layers
  using scratch = makeScratch(layout)
  const path = join(scratch.path, 'tree')
  const listing = join(scratch.path, 'listing')
  mkdirSync(path, { mode: 0o755 })
  makeNamed(join(path, 'rootfs'), directories)
  const hash = await listTree({ path, newListing: listing, signal })
  installTree(layout, { id, path, listing, files: { hash }, scratch })
  return [id, ...layers]
}

/** The attributes of the root are those of the upper directory: of all that nobody named, it is of no interest here. */
function rootCount(layout: Layout, id: TreeID): number {
  return marksAt(Buffer.from(join(treePath(layout, id), 'rootfs'))).unnamed ? 1 : 0
}

/** The checksum that was taken of a tree when it was made. */
export function readStackHash(layout: Layout, id: TreeID): string {
  return readFileSync(join(treePath(layout, id), 'hash'), 'utf8')
}
