import { limits, quote, RktError } from '../base/index.ts'
import type { OciConfig } from './oci-config.ts'
import type { OciDescriptor, OciPlatform } from './oci-descriptor.ts'
import type { OciDocument, OciManifest } from './oci-document.ts'
import { isForeignLayer, layerCompression, ociMediaTypes } from './oci-media-types.ts'

/** An image as a source resolved it: nothing here is trusted before a signature over one of the documents holds. */
export interface OciImage {
  /** From what the reference named to the image's manifest: each names the next by digest. A signature may be over any of them. */
  readonly chain: readonly OciDocument[]
  /** The last of the chain, read. */
  readonly manifest: OciManifest
  /** What the index says of the manifest; undefined without an index, or when it says nothing. */
  readonly platform: OciPlatform | undefined
}

/** A blob as it arrived: a file of exactly the digest and size that its descriptor says. */
export interface OciBlob {
  readonly descriptor: OciDescriptor
  /** Absolute path; the file belongs to the receiver until the store takes it over. */
  readonly path: string
}

/**
 * Checks that a manifest is that of an image which can be stored and run: a config that is one, layers of known kinds, none foreign.
 *
 * @throws RktError `invalid-manifest`, `limit-exceeded`, or `unsupported` for foreign layers.
 */
export function checkImageManifest(manifest: OciManifest): void {
  const { config, layers } = manifest
  const wanted = manifest.mediaType === ociMediaTypes.dockerManifest ? ociMediaTypes.dockerConfig : ociMediaTypes.config
  if (config.mediaType !== wanted) {
    throw new RktError('invalid-manifest', `cannot use OCI manifest: its config is of media type ${quote(config.mediaType)}; expected ${quote(wanted)}`, {
      hint: 'the manifest may be that of a signature or of another artifact, not of an image',
    })
  }
  if (config.size > limits.jsonBytes) {
    throw new RktError('limit-exceeded', `cannot use OCI manifest: its config has ${config.size} bytes; expected at most ${limits.jsonBytes}`)
  }
  if (layers.length === 0) throw new RktError('invalid-manifest', 'cannot use OCI manifest: it has no layers; expected an image')
  if (layers.length > limits.imageLayers) {
    throw new RktError('limit-exceeded', `cannot use OCI manifest: ${layers.length} layers; expected at most ${limits.imageLayers}`)
  }
  for (const { mediaType, urls, digest } of [config, ...layers]) {
    if (isForeignLayer(mediaType) || urls.length > 0) {
      throw new RktError('unsupported', `cannot use layer ${quote(digest)}: it is foreign (${quote(mediaType)}), to be fetched from elsewhere; expected layers of the registry`)
    }
  }
  for (const { mediaType, digest } of layers) {
    if (layerCompression(mediaType) === undefined) {
      throw new RktError('invalid-manifest', `cannot use layer ${quote(digest)}: media type ${quote(mediaType)}; expected a tar, plain or with gzip or zstd`)
    }
  }
}

/**
 * Checks that the config belongs to the image: one diff ID for each layer, and the platform for which an index named the manifest.
 *
 * @throws RktError `invalid-manifest`.
 */
export function checkConfigOf(image: OciImage, config: OciConfig): void {
  const { manifest, platform } = image
  if (config.diffIDs.length !== manifest.layers.length) {
    throw new RktError('invalid-manifest', `cannot use OCI config: ${config.diffIDs.length} diff IDs for ${manifest.layers.length} layers; expected one for each`)
  }
  // Attack: an index whose entry for this platform leads to the image of another one.
  if (platform === undefined) return
  const variantsDiffer = config.platform.variant !== '' && platform.variant !== '' && config.platform.variant !== platform.variant
  if (config.platform.os !== platform.os || config.platform.architecture !== platform.architecture || variantsDiffer) {
    throw new RktError('invalid-manifest', `cannot use OCI config: it is for ${formatPlatform(config.platform)}; expected ${formatPlatform(platform)}, as the index says`)
  }
}

/** `linux/arm/v7`, quoted. */
export function formatPlatform({ os, architecture, variant }: OciPlatform): string {
  return quote([os, architecture, ...(variant === '' ? [] : [variant])].join('/'))
}
