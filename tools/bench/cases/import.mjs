import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { round, sideBySide } from '../measure.mjs'
import { buildImage, imageName } from '../place.mjs'
import { makeLargeTree } from '../large-tree.mjs'

export const title = 'verify, import and render a large ACI'

export function measure(place, runs) {
  const tree = join(place.tmpfs, 'large')
  const { files, bytes } = makeLargeTree(tree)
  const image = buildImage(place, { name: `${imageName}/large`, tree, output: join(place.tmpfs, 'large.aci') })
  rmSync(tree, { recursive: true })
  const [data, unpacked] = [join(place.tmpfs, 'import-data'), join(place.tmpfs, 'unpacked')]
  const results = sideBySide(
    place.timer,
    {
      rkt: { argv: [...place.rktFlags(data), 'fetch', image], after: () => rmSync(data, { recursive: true }) },
      tar: {
        argv: ['sh', '-c', 'gpg --quiet --verify "$0.asc" "$0" && exec tar xzf "$0" -C "$1"', image, unpacked],
        env: place.gpgEnvironment,
        before: () => mkdirSync(unpacked),
        after: () => rmSync(unpacked, { recursive: true }),
      },
    },
    runs,
  )
  rmSync(image)
  const { rkt, tar } = results
  const what = `${title} (${Math.round(bytes / 1e6)} MB, ${files} files, gzip, tmpfs)`
  return {
    results: { ...results, files, bytes },
    rows: [
      { what: `${what}, ms`, ours: round(rkt.ms), peer: 'gpg --verify && tar xzf', theirs: round(tar.ms), budget: round(tar.ms * 1.2), rule: '1.2 × gpg and tar' },
      { what: `${what}, peak MB`, ours: round(rkt.peakKiB / 976.5625), peer: 'gpg --verify && tar xzf', theirs: round(tar.peakKiB / 976.5625), budget: 150, rule: '150 MB in any process' },
    ],
  }
}
