// Everything that the measured commands read and write: below build/bench, mostly on a tmpfs of this process alone.
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { environment, prepare } from './measure.mjs'

export const imageName = 'example.com/bench'

/** Prepares key, configuration, busybox image and the timer. `tmpfs` must be an empty directory on a tmpfs. */
export function makePlace(root, tmpfs) {
  const rkt = join(root, 'build/bin/rkt')
  const timer = join(tmpfs, 'timed')
  prepare(['cc', '-O2', '-static', '-o', timer, join(import.meta.dirname, 'timed.c')])
  const gnupg = join(tmpfs, 'gnupg')
  mkdirSync(gnupg, { mode: 0o700 })
  const gpgEnvironment = { ...environment, GNUPGHOME: gnupg }
  prepare(['gpg', '--batch', '--passphrase', '', '--quick-generate-key', 'bench@example.com', 'ed25519', 'sign', 'never'], { env: gpgEnvironment })
  writeFileSync(join(tmpfs, 'key.asc'), prepare(['gpg', '--armor', '--export', 'bench@example.com'], { env: gpgEnvironment }))
  const place = { root, tmpfs, rkt, timer, gpgEnvironment }
  place.rktFlags = (data) => [rkt, `--dir=${data}`, `--local-config=${join(tmpfs, 'config')}`, `--system-config=${join(tmpfs, 'system')}`]
  prepare([...place.rktFlags(join(tmpfs, 'data')), 'trust', `--prefix=${imageName}`, '--skip-fingerprint-review', join(tmpfs, 'key.asc')])
  place.data = join(tmpfs, 'data')
  place.busyboxTree = makeBusyboxTree(join(tmpfs, 'busybox'))
  place.busyboxImage = buildImage(place, { name: imageName, tree: place.busyboxTree, output: join(tmpfs, 'busybox.aci') })
  prepare([...place.rktFlags(place.data), 'fetch', place.busyboxImage])
  return place
}

/** Builds and signs an ACI. */
export function buildImage(place, { name, tree, output, compression = 'gzip' }) {
  const arch = { x64: 'amd64', arm64: 'aarch64' }[process.arch] ?? process.arch
  const labels = Object.entries({ version: '1.0.0', os: 'linux', arch }).map(([key, value]) => ({ name: key, value }))
  const app = { exec: ['/bin/true'], user: '0', group: '0' }
  const manifest = `${output}.manifest`
  writeFileSync(manifest, JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name, labels, app }))
  prepare([place.rkt, 'image', 'build', '--overwrite', `--compression=${compression}`, `--manifest=${manifest}`, `--rootfs=${tree}`, output])
  prepare([place.rkt, 'image', 'sign', '--overwrite', '--key=bench@example.com', output], { env: place.gpgEnvironment })
  return output
}

function makeBusyboxTree(tree) {
  mkdirSync(join(tree, 'bin'), { recursive: true })
  for (const directory of ['proc', 'dev', 'sys', 'tmp', 'etc']) mkdirSync(join(tree, directory))
  copyFileSync(resolve(prepare(['which', 'busybox']).trim()), join(tree, 'bin/busybox'))
  chmodSync(join(tree, 'bin/busybox'), 0o755)
  for (const applet of ['true', 'sleep', 'sh']) symlinkSync('busybox', join(tree, 'bin', applet))
  return tree
}
