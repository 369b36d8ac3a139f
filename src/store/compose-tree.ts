import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { quote, RktError, type ImageID } from '../base/index.ts'
import type { ImageManifest } from '../spec/index.ts'
import { damaged, openStoredBlob, requireAci } from './blob.ts'
import { imageByID } from './find.ts'
import type { Layout } from './layout.ts'
import { readManifest } from './manifest.ts'
import { keepOnly, mergeBelow } from './merge-trees.ts'
import type { AciRecord } from './record.ts'
import { removeTree } from './scratch.ts'
import { unpackAci, type UnpackedAci } from './unpack.ts'

export interface ComposeTreeOptions {
  /** The image and what it depends on, topmost first, as `resolveLayers` has it. */
  readonly layers: readonly ImageID[]
  /** A private directory. */
  readonly place: string
  readonly signal: AbortSignal
}

export interface ComposedTree {
  /** Holds `rootfs`. */
  readonly path: string
  /** What the topmost image was. */
  readonly top: UnpackedAci
}

/**
 * Renders an image over its dependencies: each layer is unpacked by itself in the confined child, loses what a white list leaves out,
 * and fills in what no layer above it has.
 *
 * SPEC: appc 0.8.11 aci.md, Dependency Matching and pathWhitelist.
 *
 * @throws RktError `corrupted` when a stored image of the chain is not what its record says, `not-found` when one is gone.
 */
export async function composeTree(layout: Layout, { layers, place, signal }: ComposeTreeOptions): Promise<ComposedTree> {
  let composed: ComposedTree | undefined
  for (const [index, { record, whiteLists }] of (await planLayers(layout, { layers, signal })).entries()) {
    const path = join(place, `layer-${index}`)
    mkdirSync(path, { mode: 0o755 })
    using blob = openStoredBlob(layout, record)
    const unpacked = await unpackAci({ blobPath: blob.path, destination: path, signal })
    if (unpacked.imageID !== record.id) throw damaged(record, `its blob unpacks to ${quote(unpacked.imageID)}`)
    keepOnly(join(path, 'rootfs'), whiteLists)
    if (composed === undefined) {
      composed = { path, top: unpacked }
    } else {
      mergeBelow(join(composed.path, 'rootfs'), join(path, 'rootfs'))
      removeTree(path)
    }
  }
  if (composed === undefined) throw new Error('an image is its own first layer')
  return composed
}

interface Layer {
  readonly record: AciRecord
  /** Of the image itself and of every one that it lies under: a path must be in each. */
  readonly whiteLists: readonly (readonly string[])[]
}

/** The layers with what applies to each; how many follow below one is what its manifest says. */
async function planLayers(layout: Layout, { layers, signal }: Pick<ComposeTreeOptions, 'layers' | 'signal'>): Promise<Layer[]> {
  const plan: Layer[] = []
  const visit = async (above: readonly (readonly string[])[]): Promise<void> => {
    const id = layers[plan.length]
    if (id === undefined) {
      throw new RktError('not-found', 'cannot render image: what it depends on was not looked for yet', { hint: 'name the image in rkt fetch or rkt run, which finds its dependencies' })
    }
    const record = requireAci(imageByID(layout, id))
    const manifest = await manifestOf(layout, record, signal)
    const whiteLists = manifest === undefined || manifest.pathWhitelist.length === 0 ? above : [...above, manifest.pathWhitelist]
    plan.push({ record, whiteLists })
    for (const _ of manifest?.dependencies ?? []) await visit(whiteLists)
  }
  await visit([])
  return plan
}

/** Undefined for an image that is nothing but its own archive. */
export async function manifestOf(layout: Layout, record: AciRecord, signal: AbortSignal): Promise<ImageManifest | undefined> {
  return record.layers === undefined ? undefined : await readManifest(layout, record, signal)
}
