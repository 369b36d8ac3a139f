/** SPEC: OCI image-spec media-types.md, and the Docker registry's schema 2 for the names before them. */
export const ociMediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const

export type LayerCompression = 'none' | 'gzip' | 'zstd'

const layers: ReadonlyMap<string, LayerCompression> = new Map([
  [ociMediaTypes.layer, 'none'],
  [ociMediaTypes.layerGzip, 'gzip'],
  [ociMediaTypes.layerZstd, 'zstd'],
  [ociMediaTypes.dockerLayer, 'none'],
  [ociMediaTypes.dockerLayerGzip, 'gzip'],
  [ociMediaTypes.dockerLayerZstd, 'zstd'],
])

/** How a layer of this media type is compressed; undefined when it is none that can be unpacked. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return layers.get(mediaType)
}

/** Layers that a registry does not hold and that would be fetched from elsewhere. */
export function isForeignLayer(mediaType: string): boolean {
  return /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/.test(mediaType)
}

/** The manifests of Docker before 2016, whose signatures and digests nobody can check. */
export function isSchema1(mediaType: string): boolean {
  return /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/.test(mediaType)
}

/** Whether a document of this media type lists others, is an image manifest, or is neither. */
export function documentKind(mediaType: string): 'index' | 'manifest' | undefined {
  if (mediaType === ociMediaTypes.index || mediaType === ociMediaTypes.dockerIndex) return 'index'
  return mediaType === ociMediaTypes.manifest || mediaType === ociMediaTypes.dockerManifest ? 'manifest' : undefined
}
