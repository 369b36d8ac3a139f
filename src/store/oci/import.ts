import { createHash } from 'node:crypto'
import { isRktError, parseDigest, parseImageID, unverified, type ImageID, type Unverified } from '../../base/index.ts'
import { receiveBlobs, type OciSource, type OnProgress, type ResolvedImage } from '../../fetch/index.ts'
import { appcArch, checkConfigOf, checkImageManifest, parseACIdentifier, readOciConfig, type Label, type OciBlob, type OciConfig, type OciDescriptor, type OciImage } from '../../spec/index.ts'
import type { Verified } from '../../trust/index.ts'
import { blobPath, type Layout } from '../layout.ts'
import { takeLock } from '../locks.ts'
import { makeScratch, type Scratch } from '../scratch.ts'
import type { Store } from '../store.ts'
import { dropBlob, hasBlob, isWhole, openBlobOf, placeBlob, placeBytes, readBlobOf } from './blobs.ts'
import { commitOci } from './commit.ts'
import { renderLayer } from './layer-tree.ts'
import type { OciRecord, StoredBlob, StoredLayer } from './record.ts'
import { stackID, stackTrees } from './stack-trees.ts'

export interface ImportOciOptions {
  readonly source: OciSource
  readonly resolved: ResolvedImage
  /** The image, with who vouches for it under the name of `resolved`. */
  readonly verified: Verified<OciImage>
  /** What is kept so that the verdict can be made again. */
  readonly evidence: string | undefined
  readonly now: Date
  readonly signal: AbortSignal
  readonly onProgress?: OnProgress
}

interface Importing extends ImportOciOptions {
  readonly layout: Layout
  readonly scratch: Scratch
  readonly id: ImageID
}

/**
 * From a verified manifest to a stored image: config and layers are received, several at a time, each digest once among all processes;
 * a layer is unpacked as soon as it is there. The record comes last: a crash before leaves blobs and trees that nobody names.
 *
 * @throws RktError of receiving, `corrupted` for layers that are not what the config says, and of the archives.
 */
export async function importOci(store: Store, options: ImportOciOptions): Promise<OciRecord> {
  const { layout } = store
  const { verified, resolved, now, signal } = options
  const { manifest, chain } = verified.value
  checkImageManifest(manifest)
  const last = chain.at(-1)
  if (last === undefined) throw new Error('a resolved image has a manifest')
  const id = parseImageID(`sha512-${createHash('sha512').update(last.bytes).digest('hex')}`)
  using _imports = await takeLock(layout, { kind: 'imports' }, signal)
  using scratch = makeScratch(layout)
  const importing: Importing = { ...options, layout, scratch, id }
  const config = await takeConfig(importing)
  const layers = await takeLayers(importing, { config, renders: store.renders })
  const diffIDs = layers.map(({ diffID }) => diffID)
  const trees = store.renders ? await stackTrees(layout, { diffIDs, signal }) : []
  const evidence = options.evidence === undefined ? undefined : placeEvidence(importing, options.evidence)
  for (const { digest, bytes } of chain) placeBytes(layout, { digest, bytes, scratch })
  const record: OciRecord = {
    version: 1,
    kind: 'oci',
    id,
    name: resolved.name,
    labels: [...resolved.labels, ...platformLabels(config)],
    importedAtMs: now.getTime(),
    source: { kind: 'oci', reference: resolved.text },
    evidence,
    also: [],
    documents: chain.map(({ digest, bytes, mediaType }) => ({ digest, bytes: bytes.byteLength, mediaType })),
    config: { digest: manifest.config.digest, bytes: manifest.config.size },
    layers,
    trees,
    treeID: stackID(diffIDs),
    unpackedBytes: layers.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0),
    blobBytes: [...new Map([manifest.config, ...manifest.layers].map(({ digest, size }) => [digest, size])).values()].reduce((sum, size) => sum + size, last.bytes.byteLength),
    verdict: verified.verdict,
  }
  return await commitOci(layout, { record, scratch, signal })
}

function placeEvidence({ layout, scratch }: Importing, text: string): StoredBlob {
  const bytes = Buffer.from(text)
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  placeBytes(layout, { digest, bytes, scratch })
  return { digest, bytes: bytes.byteLength }
}

function platformLabels({ platform }: OciConfig): Label[] {
  return [
    { name: parseACIdentifier('os'), value: platform.os },
    { name: parseACIdentifier('arch'), value: appcArch(platform) ?? platform.architecture },
  ]
}

async function takeConfig(importing: Importing): Promise<OciConfig> {
  const { layout, verified, signal } = importing
  const { config: descriptor } = verified.value.manifest
  await receive(importing, descriptor, { signal })
  const bytes = await readOrReceive(importing, descriptor)
  const config = readOciConfig(bytes)
  checkConfigOf(verified.value, config)
  return config
  async function readOrReceive(again: Importing, wanted: OciDescriptor): Promise<Uint8Array> {
    const blob = { digest: wanted.digest, bytes: wanted.size }
    try {
      return readBlobOf(layout, again, blob)
    } catch (error) {
      if (!isRktError(error, 'corrupted')) throw error
      dropBlob(layout, wanted.digest)
      await receive(again, wanted, { signal })
      return readBlobOf(layout, again, blob)
    }
  }
}

interface Receiving {
  readonly signal: AbortSignal
  readonly onBytes?: (doneBytes: number) => void
}

/** Gets a blob into its place unless it is there; who finds that another process receives it waits for that. */
async function receive({ layout, source, scratch }: Importing, descriptor: OciDescriptor, { signal, onBytes }: Receiving): Promise<Unverified<OciBlob>> {
  using _lock = await takeLock(layout, { kind: 'blob', hex: descriptor.digest.replace(/^.*:/, '') }, signal)
  const path = blobPath(layout, descriptor.digest)
  if (hasBlob(layout, { digest: descriptor.digest, bytes: descriptor.size })) onBytes?.(descriptor.size)
  else placeBlob(path, await source.receiveBlob(descriptor, { into: scratch.path, partials: layout.scratch, signal, ...(onBytes === undefined ? {} : { onBytes }) }))
  return unverified({ descriptor, path })
}

async function takeLayers(importing: Importing, { config, renders }: { readonly config: OciConfig; readonly renders: boolean }): Promise<readonly StoredLayer[]> {
  const { source, verified, signal, onProgress } = importing
  const descriptors = verified.value.manifest.layers
  const layers = new Map<string, StoredLayer>()
  const keyed: OciSource = { ...source, receiveBlob: (descriptor, options) => receive(importing, descriptor, options) }
  await receiveBlobs(keyed, descriptors, {
    into: importing.scratch.path,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
    onBlob: async (_, descriptor) => {
      for (const [index, { digest }] of descriptors.entries()) {
        const diffID = config.diffIDs[index]
        if (digest !== descriptor.digest || diffID === undefined) continue
        const facts = renders ? await render(importing, descriptor, diffID) : { treeHash: undefined, unpackedBytes: 0 }
        layers.set(`${digest} ${diffID}`, { digest, bytes: descriptor.size, diffID, treeHash: facts.treeHash, unpackedBytes: facts.unpackedBytes })
      }
    },
  })
  return descriptors.flatMap(({ digest }, index) => layers.get(`${digest} ${config.diffIDs[index] ?? ''}`) ?? [])
}

type Facts = Pick<StoredLayer, 'treeHash' | 'unpackedBytes'>

/** A blob that lay in the store and turns out to be damaged is received once more. */
async function render(importing: Importing, descriptor: OciDescriptor, diffID: StoredLayer['diffID']): Promise<Facts> {
  const { layout, signal } = importing
  const unpack = async (): Promise<Facts> => {
    using blob = openBlobOf(layout, importing, descriptor)
    return await renderLayer(layout, { diffID, blobPath: blob.path, signal })
  }
  try {
    return await unpack()
  } catch (error) {
    if (!isRktError(error, 'corrupted', 'invalid-archive')) throw error
    if (await isWhole(layout, descriptor, signal)) throw error
    dropBlob(layout, descriptor.digest)
    await receive(importing, descriptor, { signal })
    return await unpack()
  }
}
