import type { ImageRecord } from './record.ts'
import type { Store } from './store.ts'
import { ensureTree, type EnsureTreeOptions } from './tree.ts'

/**
 * The rendered trees of an image whose verdict was judged, as paths, the topmost first: one of an ACI, one for each layer of an OCI image.
 *
 * @throws RktError as `ensureTree`.
 */
export async function ensureTrees(store: Store, record: ImageRecord, options: EnsureTreeOptions = {}): Promise<readonly string[]> {
  if (record.kind === 'aci') return [await ensureTree(store, record, options)]
  return await (await import('./oci/layers.ts')).ensureLayers(store, record, options)
}
