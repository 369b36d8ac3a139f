import { createHash } from 'node:crypto'
import { parseDigest, quote, RktError, type Digest } from '../../../base/index.ts'
import { ociMediaTypes, type OciDescriptor } from '../../../spec/index.ts'
import { digestOf } from '../digest.ts'
import { formatOciReference, type LocalOciReference } from '../reference.ts'
import { resolveChain } from '../resolve.ts'
import type { OciSource, OciSourceOptions } from '../source.ts'
import { openArchiveFiles } from './archive-files.ts'
import { declaredName } from './declared-name.ts'
import type { Files } from './files.ts'
import { chooseImage, readArchiveManifest, type ArchivedImage } from './archive-manifest.ts'
import { chunksOf, receiveLocalBlob } from './receive.ts'

/** An image that `docker save` wrote. @throws RktError `not-found`, `io`, `invalid-archive`. */
export async function openDockerArchive(reference: LocalOciReference, options: OciSourceOptions): Promise<OciSource> {
  const files = await openArchiveFiles(reference.path)
  const text = formatOciReference(reference)
  const blobs = new Map<Digest, string>()
  return {
    resolve: async (platform) => {
      options.log.debug('image', `using image from ${text}`)
      const image = chooseImage(await readArchiveManifest(files), { ref: reference.ref, text })
      const bytes = await composeManifest(files, { image, blobs, signal: options.signal })
      const first = { mediaType: ociMediaTypes.dockerManifest, digest: digestOf(bytes), bytes }
      const named = declaredName([...(reference.ref === undefined ? [] : [reference.ref]), ...image.tags], reference.path)
      return resolveChain(first, { text, ...named, nameSource: 'self-declared', platform, fetch: async () => undefined })
    },
    receiveBlob: (descriptor, receiving) => {
      const name = blobs.get(descriptor.digest)
      if (name === undefined) throw new RktError('not-found', `cannot read blob ${descriptor.digest} of ${quote(text)}: it is not there`)
      return receiveLocalBlob(files, descriptor, { ...receiving, name })
    },
    manifest: async () => undefined,
    referrers: async () => [],
    smallBlob: async () => undefined,
    extensionSignatures: async () => [],
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  }
}

interface Composing {
  readonly image: ArchivedImage
  readonly blobs: Map<Digest, string>
  readonly signal: AbortSignal
}

/**
 * Such an archive has no manifest; the same one is made of the same archive each time: Docker's schema 2, with the config and the
 * layers as they lie in it, no white space and the members in this order.
 */
async function composeManifest(files: Files, { image, blobs, signal }: Composing): Promise<Uint8Array> {
  const describe = async (name: string, mediaType?: string): Promise<Pick<OciDescriptor, 'mediaType' | 'size' | 'digest'>> => {
    const { digest, size, compression } = await hashFile(files, { name, signal })
    blobs.set(digest, name)
    return { mediaType: mediaType ?? compression, size, digest }
  }
  const config = await describe(image.config, ociMediaTypes.dockerConfig)
  const layers = []
  for (const name of image.layers) layers.push(await describe(name))
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociMediaTypes.dockerManifest, config, layers }))
}

async function hashFile(files: Files, { name, signal }: { readonly name: string; readonly signal: AbortSignal }): Promise<{ readonly digest: Digest; readonly size: number; readonly compression: string }> {
  await using range = await files.open(name)
  if (range === undefined) throw new RktError('invalid-archive', `cannot read image archive ${quote(files.text)}: ${quote(name)} is not in it`)
  const hash = createHash('sha256')
  let compression: string | undefined
  for await (const chunk of chunksOf(range)) {
    signal.throwIfAborted()
    compression ??= layerType(chunk)
    hash.update(chunk)
  }
  return { digest: parseDigest(`sha256:${hash.digest('hex')}`), size: range.size, compression: compression ?? ociMediaTypes.dockerLayer }
}

/** By the first bytes; nothing is unpacked here. */
function layerType(chunk: Uint8Array): string {
  const head = Buffer.from(chunk.subarray(0, 4))
  if (head.byteLength >= 2 && head.readUInt16BE(0) === 0x1f8b) return ociMediaTypes.dockerLayerGzip
  return head.byteLength >= 4 && head.readUInt32BE(0) === 0x28b52ffd ? ociMediaTypes.dockerLayerZstd : ociMediaTypes.dockerLayer
}
