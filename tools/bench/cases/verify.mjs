import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeDebianTree } from '../debian-tree.mjs'
import { prepare, round, sideBySide } from '../measure.mjs'
import { buildImage, imageName } from '../place.mjs'

export const title = 'image verify of a Debian tree'

export function measure(place, runs) {
  const tree = join(place.tmpfs, 'verify-tree')
  makeDebianTree(place, tree)
  const name = `${imageName}/debian`
  const image = buildImage(place, { name, tree, output: join(place.tmpfs, 'verify.aci'), compression: 'none' })
  rmSync(tree, { recursive: true })
  const data = join(place.tmpfs, 'verify-data')
  prepare([...place.rktFlags(data), 'fetch', image])
  rmSync(image)
  const trees = join(data, 'cas/tree')
  const rootfs = join(trees, readdirSync(trees)[0], 'rootfs')
  const results = sideBySide(
    place.timer,
    {
      rkt: { argv: [...place.rktFlags(data), 'image', 'verify', name] },
      sha512sum: { argv: ['sh', '-c', 'find "$0" -type f -print0 | xargs -0 sha512sum', rootfs] },
    },
    runs,
  )
  rmSync(data, { recursive: true })
  const { rkt, sha512sum } = results
  const peer = 'sha512sum over the same files'
  return {
    results,
    rows: [
      { what: `${title}, ms`, ours: round(rkt.ms), peer, theirs: round(sha512sum.ms), budget: round(sha512sum.ms / 0.7), rule: '0.7 × its speed' },
      { what: `${title}, peak MB`, ours: round(rkt.peakKiB / 976.5625), peer, theirs: round(sha512sum.peakKiB / 976.5625), budget: 150, rule: '150 MB in any process' },
    ],
  }
}
