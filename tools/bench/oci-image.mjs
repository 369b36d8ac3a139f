// Images of container tools for measuring: layers made with tar and gzip, put into an image layout by hand.
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepare } from './measure.mjs'

const type = (name) => `application/vnd.oci.image.${name}`

/** Writes an image layout with a layer for each tree, the lowest first. */
export function makeLayout(layout, { trees, command }) {
  const blobs = join(layout, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const put = (text, mediaType) => {
    const hex = createHash('sha256').update(text).digest('hex')
    writeFileSync(join(blobs, hex), text)
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) }
  }
  const layers = []
  const diffIDs = []
  for (const tree of trees) {
    const tar = join(layout, 'layer.tar')
    prepare(['tar', '--create', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--file=${tar}`, `--directory=${tree}`, '.'])
    diffIDs.push(`sha256:${hashOf(tar)}`)
    prepare(['gzip', '--no-name', tar])
    const hex = hashOf(`${tar}.gz`)
    renameSync(`${tar}.gz`, join(blobs, hex))
    layers.push({ mediaType: type('layer.v1.tar+gzip'), digest: `sha256:${hex}`, size: statSync(join(blobs, hex)).size })
  }
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch
  const config = put(JSON.stringify({ os: 'linux', architecture, config: { Cmd: command }, rootfs: { type: 'layers', diff_ids: diffIDs } }), type('config.v1+json'))
  const manifest = put(JSON.stringify({ schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers }), type('manifest.v1+json'))
  const entry = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': '1' } }
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return { bytes: layers.reduce((sum, { size }) => sum + size, 0) }
}

function hashOf(path) {
  return prepare(['sha256sum', path]).split(' ')[0]
}

/** Deals the files of a tree out to `count` others; gives their paths. */
export function splitTree(tree, count) {
  const parts = Array.from({ length: count }, (_, index) => `${tree}-${index}`)
  const files = prepare(['find', tree, '-type', 'f', '-printf', '%P\n']).trimEnd().split('\n').sort()
  for (const [index, path] of files.entries()) {
    const target = join(parts[Math.floor((index * count) / files.length)], path)
    mkdirSync(join(target, '..'), { recursive: true })
    renameSync(join(tree, path), target)
  }
  rmSync(tree, { recursive: true })
  return parts
}

