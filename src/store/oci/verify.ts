import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { quote, RktError } from '../../base/index.ts'
import { formatName } from '../../fetch/index.ts'
import { damaged } from '../blob.ts'
import { treePath, type Layout } from '../layout.ts'
import { takeLock } from '../locks.ts'
import { isRendered } from '../rendered.ts'
import type { Store } from '../store.ts'
import { layerTreeID, type TreeID } from '../tree-id.ts'
import { uninstallTree } from '../tree.ts'
import { treeHash } from '../unpack.ts'
import type { VerifyOptions, VerifyOutcome } from '../verify-image.ts'
import { isWhole } from './blobs.ts'
import { ensureLayers } from './layers.ts'
import { readStackHash } from './stack-trees.ts'
import { readOciImage } from './manifest.ts'
import { blobsOf, type OciRecord } from './record.ts'

/**
 * As `verifyImage`: every blob is hashed, and the tree of each layer compared with what was unpacked from it.
 *
 * @throws RktError `corrupted` also for a damaged blob, which only another fetch brings back.
 */
export async function verifyOci(store: Store, record: OciRecord, options: VerifyOptions): Promise<VerifyOutcome> {
  const { layout } = store
  const { log, signal, inUse } = options
  readOciImage(layout, record)
  for (const { digest } of blobsOf(record)) {
    if (!(await isWhole(layout, { digest }, signal))) throw damaged(record, `its blob ${quote(digest)} was changed`)
  }
  const expected = new Map<TreeID, string | undefined>(record.layers.map(({ diffID, treeHash: hash }) => [layerTreeID(diffID), hash]))
  if (record.trees.includes(record.treeID)) expected.set(record.treeID, undefined)
  const rendered = [...expected.keys()].filter((id) => isRendered(layout, id))
  if (rendered.length === 0) return 'not-rendered'
  const wrong: TreeID[] = []
  for (const id of rendered) {
    const difference = await compare(layout, { id, expected: expected.get(id) ?? readStackHash(layout, id), signal })
    if (difference === undefined) continue
    const name = quote(formatName(record.name, record.labels.filter((label) => label.name === 'version')))
    const failure = `tree cache verification failed for image ${name}: ${difference}`
    if (inUse) throw new RktError('corrupted', failure, { hint: 'stop and remove the pods of this image, then verify it again' })
    log.info(`${failure};  rebuilding...`)
    wrong.push(id)
  }
  if (wrong.length === 0) return 'verified'
  for (const id of wrong) {
    using _lock = await takeLock(layout, { kind: 'tree', id }, signal)
    uninstallTree(layout, id)
  }
  await ensureLayers(store, record, { signal })
  return 'rebuilt'
}

async function compare(layout: Layout, { id, expected, signal }: { readonly id: TreeID; readonly expected: string; readonly signal: AbortSignal }): Promise<string | undefined> {
  const path = treePath(layout, id)
  const listingPath = join(path, 'listing')
  const found = await treeHash({ path, signal, ...(existsSync(listingPath) ? { listingPath } : {}) })
  if (found.treeHash === expected) return undefined
  const [first] = found.differences
  const more = found.differenceCount > 1 ? ` and ${found.differenceCount - 1} more` : ''
  return first === undefined ? 'its checksum differs' : `${quote(first.path)} is ${first.state}${more}`
}
