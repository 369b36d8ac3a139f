import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseStrictJson, quote, RktError, type Digest } from '../../base/index.ts'
import { countField, objectField, textField } from '../fields.ts'
import { treePath, type Layout } from '../layout.ts'
import { takeLock } from '../locks.ts'
import { isRendered } from '../rendered.ts'
import { makeScratch, type Scratch } from '../scratch.ts'
import { layerTreeID } from '../tree-id.ts'
import { installTree } from '../tree.ts'
import { unpackLayer, type UnpackedLayer } from './unpack-layer.ts'

/** What is known of a rendered layer; kept beside its tree. */
export type LayerFacts = Omit<UnpackedLayer, 'diffID'>

export interface RenderLayerOptions {
  readonly diffID: Digest
  /** The stored blob, named so that it cannot be exchanged. */
  readonly blobPath: string
  readonly signal: AbortSignal
}

/**
 * Renders a layer unless that was done, by one process at a time.
 *
 * @throws RktError `corrupted` when the blob does not unpack to the diff ID, and as `unpackLayer`.
 */
export async function renderLayer(layout: Layout, { diffID, blobPath, signal }: RenderLayerOptions): Promise<LayerFacts> {
  const id = layerTreeID(diffID)
  using _lock = await takeLock(layout, { kind: 'tree', id }, signal)
  if (isRendered(layout, id)) return readLayerFacts(layout, diffID)
  using scratch = makeScratch(layout)
  const { path, listing, unpacked } = await unpackFresh(blobPath, { diffID, scratch, signal })
  if (unpacked.diffID !== diffID) {
    throw new RktError('corrupted', `cannot use layer ${quote(diffID)}: its blob unpacks to ${quote(unpacked.diffID)}`, { hint: 'the config of the image does not belong to its layers, or the blob was damaged' })
  }
  const { diffID: _same, ...facts } = unpacked
  installTree(layout, { id, path, listing, files: { layer: diffID, hash: facts.treeHash, facts: `${JSON.stringify(facts)}\n` }, scratch })
  return facts
}

async function unpackFresh(blobPath: string, { diffID, scratch, signal }: { readonly diffID: Digest; readonly scratch: Scratch; readonly signal: AbortSignal }): Promise<{
  readonly path: string
  readonly listing: string
  readonly unpacked: UnpackedLayer
}> {
  const path = join(scratch.path, 'tree')
  const listing = join(scratch.path, 'listing')
  mkdirSync(path, { mode: 0o755 })
  return { path, listing, unpacked: await unpackLayer({ blobPath, destination: path, listingPath: listing, expected: diffID, signal }) }
}

/** What was found when the layer was rendered. @throws RktError `corrupted`. */
export function readLayerFacts(layout: Layout, diffID: Digest): LayerFacts {
  const path = join(treePath(layout, layerTreeID(diffID)), 'facts')
  const fields = objectField(parseStrictJson(readFileSync(path), { what: 'facts of a layer' }), 'facts')
  return {
    unpackedBytes: countField(fields, 'unpackedBytes'),
    treeHash: textField(fields, 'treeHash'),
    unnamed: countField(fields, 'unnamed'),
    opaqueRoot: fields['opaqueRoot'] === true,
  }
}
