import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quote, RktError, type Log } from '../base/index.ts'
import { formatName } from '../fetch/index.ts'
import { treePath } from './layout.ts'
import { takeLock } from './locks.ts'
import type { AciRecord, ImageRecord } from './record.ts'
import type { Store } from './store.ts'
import { ensureTree, isRendered, uninstallTree } from './tree.ts'
import { treeHash } from './unpack.ts'

export type VerifyOutcome = 'verified' | 'not-rendered' | 'rebuilt'

export interface VerifyOptions {
  readonly log: Log
  readonly signal: AbortSignal
  /** Whether pods use the tree: then it is not replaced under them. */
  readonly inUse: boolean
}

/**
 * Compares every file of an image's tree with what was unpacked from the verified bytes, and unpacks it again when they differ.
 *
 * @throws RktError `corrupted` when pods use the differing tree, or when it cannot be rebuilt.
 */
export async function verifyImage(store: Store, record: ImageRecord, options: VerifyOptions): Promise<VerifyOutcome> {
  if (record.kind === 'oci') return await (await import('./oci/verify.ts')).verifyOci(store, record, options)
  const { layout } = store
  if (!isRendered(layout, record.treeID)) return 'not-rendered'
  const difference = await compareTree(store, record, options)
  if (difference === undefined) return 'verified'
  const name = quote(formatName(record.name, record.labels.filter((label) => label.name === 'version')))
  const failure = `tree cache verification failed for image ${name}: ${difference}`
  if (options.inUse) throw new RktError('corrupted', failure, { hint: 'stop and remove the pods of this image, then verify it again' })
  options.log.info(`${failure};  rebuilding...`)
  await takeAway(store, record, options)
  await ensureTree(store, record, { signal: options.signal })
  return 'rebuilt'
}

async function takeAway({ layout }: Store, { treeID }: AciRecord, { signal }: VerifyOptions): Promise<void> {
  using _lock = await takeLock(layout, { kind: 'tree', id: treeID }, signal)
  if (isRendered(layout, treeID)) uninstallTree(layout, treeID)
}

async function compareTree({ layout }: Store, record: AciRecord, { signal }: VerifyOptions): Promise<string | undefined> {
  const path = treePath(layout, record.treeID)
  const expected = record.treeHash ?? readFileSync(join(path, 'hash'), 'utf8')
  const listingPath = join(path, 'listing')
  const found = await treeHash({ path, signal, ...(existsSync(listingPath) ? { listingPath } : {}) })
  if (found.treeHash === expected) return undefined
  const [first] = found.differences
  const more = found.differenceCount > 1 ? ` and ${found.differenceCount - 1} more` : ''
  return first === undefined ? 'its checksum differs' : `${quote(first.path)} is ${first.state}${more}`
}
