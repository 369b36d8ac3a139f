import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { ociMediaTypes } from '../../src/spec/index.ts'
import { blob, json, named, sha256, writeLayout, type CraftedBlob } from './oci-image.ts'
import { rawTar, type RawMember } from './raw-tar.ts'
import { zstd } from './compressors.ts'

export type LayerMembers = readonly (RawMember | Uint8Array)[]

/** A layer in which a line of shell runs: busybox, a few of its names, accounts. */
export const shellLayer: LayerMembers = [
  { name: './', type: '5', mode: 0o755 },
  { name: 'bin/', type: '5' },
  { name: 'bin/busybox', mode: 0o755, content: readFileSync('/bin/busybox') },
  ...['sh', 'cat', 'ls', 'id', 'stat', 'sleep', 'find', 'sort', 'true', 'pwd', 'env', 'test', 'touch', 'wc'].map((name): RawMember => ({ name: `bin/${name}`, type: '2', linkname: 'busybox' })),
  { name: 'etc/', type: '5' },
  { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n' },
  { name: 'etc/group', content: 'root:x:0:\napp:x:1001:\nextra:x:1002:app\nmore:x:1003:root,app\n' },
]

export interface LayoutImage {
  /** Members of `config`, as OCI spells them. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly layers: readonly LayerMembers[]
  readonly compression?: 'gzip' | 'zstd' | 'none'
  /** Over the members of the config document. */
  readonly document?: Readonly<Record<string, unknown>>
  /** Name in the layout's index. */
  readonly ref?: string
}

/** Writes an image of these layers, the lowest first, as the only one of a layout. Gives its reference and its manifest's digest. */
export function writeLayerImage(directory: string, { config = {}, layers, compression = 'gzip', document = {}, ref = '1' }: LayoutImage): { readonly reference: string; readonly digest: string } {
  const tars = layers.map((members) => rawTar(members))
  const blobs = tars.map((tar) => pack(tar, compression))
  const rootfs = { type: 'layers', diff_ids: tars.map((tar) => sha256(tar)) }
  const configBlob = json({ os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', config: { Cmd: ['/bin/sh'], ...config }, rootfs, ...document }, ociMediaTypes.config)
  const manifest = json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: named(configBlob), layers: blobs.map(named) }, ociMediaTypes.manifest)
  const entries = [{ ...named(manifest), annotations: { 'org.opencontainers.image.ref.name': ref } }]
  writeLayout(directory, { blobs: [manifest, configBlob, ...blobs], entries })
  return { reference: `oci:${directory}:${ref}`, digest: manifest.digest }
}

function pack(tar: Uint8Array, compression: 'gzip' | 'zstd' | 'none'): CraftedBlob {
  if (compression === 'gzip') return blob(gzipSync(tar, { level: 1 }), ociMediaTypes.layerGzip)
  return compression === 'zstd' ? blob(zstd(tar), ociMediaTypes.layerZstd) : blob(tar, ociMediaTypes.layer)
}
