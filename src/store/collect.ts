import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { digestParts, errorText, isErrno, isRktError, lockFile, parseDigest, quote, RktError, type ImageID, type Log } from '../base/index.ts'
import type { Layout } from './layout.ts'
import { tryLock } from './locks.ts'
import { blobsOf } from './oci/record.ts'
import { readRecords, type RecordReading } from './records.ts'
import { removeBlob, removeImage } from './remove.ts'
import { removeAbandoned } from './scratch.ts'
import type { Store } from './store.ts'
import { isTreeID, type TreeID } from './tree-id.ts'
import { uninstallTree } from './tree.ts'

export interface CollectOptions {
  /** Images that were used within this time stay. */
  readonly graceMs: number
  /** Trees and images that pods refer to; read while the caller holds `locks/prepareLock` exclusively, as it still does. */
  readonly treesInUse: ReadonlySet<string>
  readonly imagesInUse: ReadonlySet<string>
  readonly now: Date
  readonly signal: AbortSignal
  readonly log: Log
}

export interface CollectReport {
  readonly removedTrees: readonly TreeID[]
  readonly removedImages: readonly ImageID[]
}

/**
 * Removes what no pod needs: unused trees, images past their grace period, then what crashes left: blobs without a record, scratch,
 * lock files.
 *
 * @throws RktError `io` where the caller may not (`permission denied`).
 */
export async function collectStore(store: Store, options: CollectOptions): Promise<CollectReport> {
  try {
    const removedTrees = collectTrees(store.layout, options)
    const removedImages = await collectImages(store.layout, options)
    collectBlobs(store.layout)
    collectScratch(store.layout, options)
    collectLocks(store.layout)
    return { removedTrees, removedImages }
  } catch (cause) {
    if (!isErrno(cause, 'EACCES', 'EPERM', 'EROFS', 'EIO')) throw cause
    throw new RktError('io', `cannot collect the store ${quote(store.layout.data)}: ${errorText(cause)}`, { cause })
  }
}

function collectTrees(layout: Layout, { treesInUse, log }: CollectOptions): TreeID[] {
  const removed: TreeID[] = []
  for (const name of namesIn(layout.trees)) {
    if (treesInUse.has(name) || !isTreeID(name)) continue
    const id = name
    using lock = tryLock(layout, { kind: 'tree', id })
    if (lock === undefined || !uninstallTree(layout, id)) continue
    log.info(`removed treestore ${quote(id)}`)
    removed.push(id)
  }
  return removed
}

async function collectImages(layout: Layout, { graceMs, imagesInUse, now, signal, log }: CollectOptions): Promise<ImageID[]> {
  const removed: ImageID[] = []
  for (const reading of readRecords(layout)) {
    if (reading.kind !== 'image' || imagesInUse.has(reading.record.id) || now.getTime() - reading.lastUsedMs < graceMs) continue
    if (!(await removeIfThere(layout, reading.record.id, signal))) continue
    log.info(`removed aci for image ${quote(reading.record.id)}`)
    removed.push(reading.record.id)
  }
  return removed
}

/** Another collector may have been faster. */
async function removeIfThere(layout: Layout, id: ImageID, signal: AbortSignal): Promise<boolean> {
  try {
    await removeImage(layout, id, signal)
    return true
  } catch (error) {
    if (isRktError(error, 'not-found')) return false
    throw error
  }
}

/**
 * Blobs whose record was never written, or is gone; asked again under the lock that an importer holds. While a record is damaged, its
 * blobs are not known: then all stay. So do they while an OCI image is imported, whose blobs nobody names yet.
 */
function collectBlobs(layout: Layout): void {
  using imports = tryLock(layout, { kind: 'imports' })
  if (imports === undefined) return
  const readings = readRecords(layout)
  const found = new Set([layout.blobs, layout.ociBlobs].flatMap(namesIn).map((name) => /^((?:[0-9a-f]{64}){1,2})(?:\.asc)?$/.exec(name)?.[1]))
  for (const hex of found) {
    if (hex === undefined || readings.some((reading) => mayName(reading, hex))) continue
    using lock = tryLock(layout, { kind: 'blob', hex })
    if (lock === undefined || readRecords(layout).some((reading) => mayName(reading, hex))) continue
    removeBlob(layout, parseDigest(`${hex.length === 64 ? 'sha256' : 'sha512'}:${hex}`))
  }
}

/** Whether a record needs the blob, or could: nobody knows what a damaged one needs. */
export function mayName(reading: RecordReading, hex: string): boolean {
  if (reading.kind !== 'image') return true
  const { record } = reading
  return record.kind === 'aci' ? digestParts(record.blob).hex === hex : blobsOf(record).some(({ digest }) => digestParts(digest).hex === hex)
}

/** Scratch of processes that ended, and downloads that nobody went on with. */
function collectScratch(layout: Layout, { graceMs, now }: CollectOptions): void {
  for (const name of namesIn(layout.scratch)) {
    const path = join(layout.scratch, name)
    if (name.startsWith('work-')) removeAbandoned(path)
    else if (now.getTime() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= graceMs) removeLocked(path, name)
  }
}

function removeLocked(path: string, name: string): void {
  if (!/^partial-[0-9a-f]{64}$/.test(name)) return rmSync(path, { recursive: true, force: true })
  using lock = lockFile(path, { mode: 'exclusive', wait: 'try' })
  if (lock !== undefined) rmSync(path, { force: true })
}

/** A lock file may go while we hold its lock: whoever waits for it sees that it is not the same file any more. */
function collectLocks(layout: Layout): void {
  for (const directory of [layout.imageLocks, layout.treeLocks]) {
    for (const name of namesIn(directory)) {
      const path = join(directory, name)
      using lock = lockFile(path, { mode: 'exclusive', wait: 'try' })
      if (lock !== undefined) rmSync(path, { force: true })
    }
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
