import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeLargeTree } from '../large-tree.mjs'
import { environment, prepare, round, sideBySide } from '../measure.mjs'
import { makeLayout, splitTree } from '../oci-image.mjs'
import { startRegistry } from '../registry.mjs'

export const title = 'pull of an OCI image in 6 layers from a local registry, ready to run'

export async function measure(place, runs) {
  const home = join(place.tmpfs, 'pull')
  mkdirSync(home)
  const { files, bytes } = makeLargeTree(join(home, 'tree'))
  const trees = splitTree(join(home, 'tree'), 6)
  const layout = join(home, 'layout')
  makeLayout(layout, { trees, command: ['/bin/true'] })
  for (const tree of trees) rmSync(tree, { recursive: true })
  const registry = await startRegistry(join(home, 'registry'))
  try {
    const image = `${registry.address}/bench/large:1`
    prepare(['skopeo', 'copy', '--quiet', '--dest-tls-verify=false', `oci:${layout}:1`, `docker://${image}`])
    const results = sideBySide(place.timer, { rkt: ofRkt(place, home, image), podman: ofPodman(home, image) }, Math.min(runs, 7))
    const { rkt, podman } = results
    const what = `${title} (${Math.round(bytes / 1e6)} MB, ${files} files, gzip, tmpfs)`
    return {
      results: { ...results, files, bytes },
      rows: [{ what: `${what}, ms`, ours: round(rkt.ms), peer: 'podman pull', theirs: round(podman.ms), budget: round(podman.ms * 0.8), rule: '0.8 × podman' }],
    }
  } finally {
    registry.stop()
    rmSync(home, { recursive: true })
  }
}

function ofRkt(place, home, image) {
  const data = join(home, 'rkt')
  const argv = [...place.rktFlags(data), '--insecure-options=image,http', 'fetch', `docker://${image}`]
  return { argv, after: () => rmSync(data, { recursive: true }) }
}

function ofPodman(home, image) {
  const place = join(home, 'podman')
  const state = [`--root=${join(place, 'root')}`, `--runroot=${join(place, 'run')}`, `--tmpdir=${join(place, 'tmp')}`]
  const env = { ...environment, HOME: place, XDG_RUNTIME_DIR: place, TMPDIR: place }
  return {
    argv: ['podman', ...state, '--storage-driver=overlay', '--events-backend=none', 'pull', '--quiet', '--tls-verify=false', image],
    env,
    before: () => mkdirSync(place),
    after: () => prepare(['sh', '-c', 'umount "$0/root/overlay" 2>&- || :; rm -rf "$0"', place]),
  }
}
