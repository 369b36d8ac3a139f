import { join } from 'node:path'
import { digestParts, type Digest, type ImageID } from '../base/index.ts'
import type { TreeID } from './tree-id.ts'

/** Every path below the data directory that belongs to the store. */
export interface Layout {
  readonly data: string
  readonly format: string
  readonly images: string
  /** Of ACIs, and of OCI images where a digest is of SHA-512. */
  readonly blobs: string
  /** Of OCI images. */
  readonly ociBlobs: string
  readonly trees: string
  readonly scratch: string
  readonly imageLocks: string
  readonly treeLocks: string
}

export function layoutOf(data: string): Layout {
  const cas = join(data, 'cas')
  return {
    data,
    format: join(data, 'format'),
    images: join(cas, 'images'),
    blobs: join(cas, 'blobs', 'sha512'),
    ociBlobs: join(cas, 'blobs', 'sha256'),
    trees: join(cas, 'tree'),
    scratch: join(cas, 'tmp'),
    imageLocks: join(cas, 'imagelocks'),
    treeLocks: join(cas, 'treestorelocks'),
  }
}

export function recordPath(layout: Layout, id: ImageID): string {
  return join(layout.images, `${id}.json`)
}

export function blobPath(layout: Layout, digest: Digest): string {
  const { algorithm, hex } = digestParts(digest)
  return join(algorithm === 'sha512' ? layout.blobs : layout.ociBlobs, hex)
}

export function signaturePath(layout: Layout, digest: Digest): string {
  return `${blobPath(layout, digest)}.asc`
}

export function treePath(layout: Layout, id: TreeID): string {
  return join(layout.trees, id)
}
