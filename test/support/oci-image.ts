import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ociMediaTypes } from '../../src/spec/index.ts'

/** An OCI image made by hand, every byte of which a test may change. */
export interface CraftedImage {
  readonly manifest: CraftedBlob
  /** Config and layers. */
  readonly blobs: readonly CraftedBlob[]
}

export interface CraftedBlob {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly bytes: Uint8Array
}

export interface CraftOptions {
  readonly os?: string
  readonly architecture?: string
  /** Contents of the layers, as tar archives would be. */
  readonly layers?: readonly Uint8Array[]
  /** Members over those of the manifest. */
  readonly manifest?: Readonly<Record<string, unknown>>
}

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function blob(bytes: Uint8Array | string, mediaType: string): CraftedBlob {
  const content = Buffer.from(bytes)
  return { mediaType, digest: sha256(content), size: content.byteLength, bytes: content }
}

export function json(value: unknown, mediaType: string): CraftedBlob {
  return blob(JSON.stringify(value), mediaType)
}

/** How documents name a blob. */
export function named({ mediaType, digest, size }: CraftedBlob): { readonly mediaType: string; readonly digest: string; readonly size: number } {
  return { mediaType, digest, size }
}

export function craftImage({ os = 'linux', architecture = 'amd64', layers = [Buffer.from('a layer')], manifest = {} }: CraftOptions = {}): CraftedImage {
  const zipped = layers.map((layer) => blob(gzipSync(layer), ociMediaTypes.layerGzip))
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => sha256(layer)) }
  const config = json({ os, architecture, config: { Cmd: ['/bin/sh'] }, rootfs }, ociMediaTypes.config)
  const document = { schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: named(config), layers: zipped.map(named), ...manifest }
  return { manifest: json(document, ociMediaTypes.manifest), blobs: [config, ...zipped] }
}

export interface CraftedEntry {
  readonly document: CraftedBlob
  readonly platform?: Readonly<Record<string, string>>
}

export function craftIndex(entries: readonly CraftedEntry[]): CraftedBlob {
  const manifests = entries.map(({ document, platform }) => ({ ...named(document), ...(platform === undefined ? {} : { platform }) }))
  return json({ schemaVersion: 2, mediaType: ociMediaTypes.index, manifests }, ociMediaTypes.index)
}

/** Writes an image layout whose index has these entries. */
export function writeLayout(directory: string, { blobs, entries }: { readonly blobs: readonly CraftedBlob[]; readonly entries: readonly Readonly<Record<string, unknown>>[] }): void {
  for (const { digest, bytes } of blobs) {
    const path = join(directory, 'blobs', digest.replace(':', '/'))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: entries }))
}
