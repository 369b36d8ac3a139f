import type { EnsureTreeOptions } from '../tree.ts'
import { reportingDisk } from '../io-error.ts'
import { treePath } from '../layout.ts'
import { isRendered } from '../rendered.ts'
import type { Store } from '../store.ts'
import { openBlobOf } from './blobs.ts'
import { renderLayer } from './layer-tree.ts'
import type { OciRecord } from './record.ts'
import { stackTrees } from './stack-trees.ts'

/**
 * The trees of an OCI image whose verdict was judged, as paths, the topmost first. Missing ones are unpacked again from the stored blobs.
 *
 * @throws RktError `corrupted` when a stored blob is missing or does not unpack to what the config says.
 */
export async function ensureLayers(store: Store, record: OciRecord, options: EnsureTreeOptions = {}): Promise<readonly string[]> {
  const { layout } = store
  const signal = options.signal ?? new AbortController().signal
  const complete = record.trees.length > 0 && record.trees.every((id) => isRendered(layout, id))
  const trees = complete ? record.trees : await reportingDisk('unpack image', { object: record.id, run: () => renderAgain(store, record, signal) })
  return trees.map((id) => treePath(layout, id))
}

async function renderAgain({ layout }: Store, record: OciRecord, signal: AbortSignal): Promise<OciRecord['trees']> {
  for (const layer of record.layers) {
    using blob = openBlobOf(layout, record, layer)
    await renderLayer(layout, { diffID: layer.diffID, blobPath: blob.path, signal })
  }
  return await stackTrees(layout, { diffIDs: record.layers.map(({ diffID }) => diffID), signal })
}
