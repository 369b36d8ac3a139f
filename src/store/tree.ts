import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, quote, syncDirectory, type ImageID } from '../base/index.ts'
import { damaged, openStoredBlob } from './blob.ts'
import { composeTree } from './compose-tree.ts'
import { reportingDisk } from './io-error.ts'
import { treePath, type Layout } from './layout.ts'
import { takeLock } from './locks.ts'
import type { AciRecord } from './record.ts'
import { isRendered } from './rendered.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import type { Store } from './store.ts'
import type { TreeID } from './tree-id.ts'
import { listTree, unpackAci, type UnpackedAci } from './unpack.ts'

export { isRendered }

/** An archive that was unpacked into a scratch directory. */
export interface FreshTree {
  readonly path: string
  /** The listing of its files, beside it. */
  readonly listing: string
  readonly image: ImageID
  readonly unpacked: UnpackedAci
}

/** A directory with `rootfs` that is to become a tree. */
export interface NewTree {
  readonly id: TreeID
  /** In the scratch directory. */
  readonly path: string
  /** Its listing, beside it. */
  readonly listing: string
  /** What is kept with the tree, by file name. */
  readonly files: Readonly<Record<string, string | Uint8Array>>
  readonly scratch: Scratch
}

/**
 * Moves a fresh tree into its place; the caller holds the tree's lock and has found it not rendered. What a crash left there goes
 * away. Ends with `rendered`, after everything before it is on the disk.
 */
export function installTree(layout: Layout, { id, path, listing, files, scratch }: NewTree): void {
  const target = treePath(layout, id)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content, { mode: 0o640 })
  renameSync(listing, join(path, 'listing'))
  moveAway(target, scratch)
  renameSync(path, target)
  scratch.sync()
  writeFileSync(join(target, 'rendered'), '', { mode: 0o640, flush: true })
  syncDirectory(target)
  syncDirectory(layout.trees)
}

/** As `installTree`, for an unpacked ACI. */
export function installAci(layout: Layout, { id, fresh, scratch }: { readonly id: TreeID; readonly fresh: FreshTree; readonly scratch: Scratch }): void {
  const { path, listing, image, unpacked } = fresh
  installTree(layout, { id, path, listing, files: { manifest: unpacked.manifest, image, hash: unpacked.treeHash ?? '' }, scratch })
}

/**
 * Takes a tree away: its marker first, so that nobody starts from what is half removed. The caller holds the tree's lock. Returns
 * whether there was one.
 */
export function uninstallTree(layout: Layout, id: TreeID): boolean {
  const target = treePath(layout, id)
  if (!existsSync(target)) return false
  rmSync(join(target, 'rendered'), { force: true })
  syncDirectory(target)
  using scratch = makeScratch(layout)
  moveAway(target, scratch)
  return true
}

function moveAway(target: string, scratch: Scratch): void {
  try {
    renameSync(target, join(scratch.path, 'removed'))
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

export interface EnsureTreeOptions {
  readonly signal?: AbortSignal
}

/**
 * The rendered tree of an image whose verdict was judged: the path of `cas/tree/<treeID>`. A missing one is unpacked again from the
 * stored blob, by one process at a time.
 *
 * @throws RktError `corrupted` when the stored blob is missing or does not unpack to the image that the record promises.
 */
export async function ensureTree(store: Store, record: AciRecord, options: EnsureTreeOptions = {}): Promise<string> {
  const { layout } = store
  const path = treePath(layout, record.treeID)
  if (isRendered(layout, record.treeID)) return path
  const signal = options.signal ?? new AbortController().signal
  return reportingDisk('unpack image', { object: record.id, run: () => renderAgain(layout, record, signal) })
}

async function renderAgain(layout: Layout, record: AciRecord, signal: AbortSignal): Promise<string> {
  const path = treePath(layout, record.treeID)
  using _lock = await takeLock(layout, { kind: 'tree', id: record.treeID }, signal)
  if (isRendered(layout, record.treeID)) return path
  using scratch = makeScratch(layout)
  const fresh = record.layers === undefined ? await unpackStored(layout, { record, scratch, signal }) : await composeFresh(layout, { record, scratch, signal })
  installAci(layout, { id: record.treeID, fresh, scratch })
  return path
}

interface StoredImage {
  readonly record: AciRecord
  readonly scratch: Scratch
  readonly signal: AbortSignal
}

/** The tree of an image with dependencies or a white list, and its listing. */
async function composeFresh(layout: Layout, { record, scratch, signal }: StoredImage): Promise<FreshTree> {
  const { path, top } = await composeTree(layout, { layers: record.layers ?? [], place: scratch.path, signal })
  const listing = join(scratch.path, 'listing')
  const hash = await listTree({ path, newListing: listing, signal })
  return { path, listing, image: record.id, unpacked: { ...top, treeHash: hash } }
}

/** Unpacks the stored blob and compares what came out with the record: the image ID is a digest over every unpacked byte. */
export async function unpackStored(layout: Layout, { record, scratch, signal }: StoredImage): Promise<FreshTree> {
  using blob = openStoredBlob(layout, record)
  const fresh = await unpackFresh(blob.path, { scratch, signal })
  if (fresh.image !== record.id) throw damaged(record, `its blob unpacks to ${quote(fresh.image)}`)
  return fresh
}

/** Unpacks an archive into a new directory of root's. */
export async function unpackFresh(blobPath: string, { scratch, signal }: { readonly scratch: Scratch; readonly signal: AbortSignal }): Promise<FreshTree> {
  const path = join(scratch.path, 'tree')
  const listing = join(scratch.path, 'listing')
  mkdirSync(path, { mode: 0o755 })
  const unpacked = await unpackAci({ blobPath, destination: path, listingPath: listing, signal })
  return { path, listing, image: unpacked.imageID, unpacked }
}
