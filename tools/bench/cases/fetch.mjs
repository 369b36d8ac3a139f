import { mkdirSync, rmSync, statSync, writeFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { makeDebianTree } from '../debian-tree.mjs'
import { round, sideBySide, timed } from '../measure.mjs'
import { buildImage, imageName } from '../place.mjs'
import { startPublisher } from '../publisher.mjs'

export const title = 'fetch over https, verify and store an ACI'

/** Far beyond what may stay in memory. */
const hugeBytes = 2e9

export async function measure(place, runs) {
  const site = join(place.tmpfs, 'site')
  mkdirSync(site)
  const tree = join(place.tmpfs, 'fetch-tree')
  makeDebianTree(place, tree)
  const image = buildImage(place, { name: `${imageName}/large`, tree, output: join(site, 'large.aci'), compression: 'none' })
  rmSync(tree, { recursive: true })
  const megabytes = Math.round(statSync(image).size / 1e6)
  const server = await startPublisher(place, site)
  try {
    const [data, work] = [join(place.tmpfs, 'fetch-data'), join(place.tmpfs, 'fetch-work')]
    const fetch = (name) => ({ argv: [...place.rktFlags(data), 'fetch', `${server.origin}/${name}`], after: () => rmSync(data, { recursive: true }) })
    const line = 'cd "$0" && curl --silent --show-error --fail --cacert "$1" -O "$2.asc" -O "$2" && gpg --quiet --verify large.aci.asc large.aci && exec sha512sum large.aci'
    const results = sideBySide(
      place.timer,
      {
        rkt: fetch('large.aci'),
        tools: {
          argv: ['sh', '-c', line, work, server.caFile, `${server.origin}/large.aci`],
          env: place.gpgEnvironment,
          before: () => mkdirSync(work),
          after: () => rmSync(work, { recursive: true }),
        },
      },
      runs,
    )
    rmSync(image)
    const huge = measureHuge(place, site, fetch)
    const { rkt, tools } = results
    const peer = 'curl && gpg --verify && sha512sum'
    const what = `${title} of ${megabytes} MB, Debian's files`
    return {
      results: { ...results, huge, megabytes },
      rows: [
        { what: `${what}, ms`, ours: round(rkt.ms), peer, theirs: round(tools.ms), budget: round(tools.ms * 1.3), rule: '1.3 × the tools' },
        { what: `${what}, peak MB`, ours: round(rkt.peakKiB / 976.5625), peer, theirs: round(tools.peakKiB / 976.5625), budget: 150, rule: '150 MB in any process' },
        { what: `the same of ${hugeBytes / 1e6} MB, peak MB`, ours: round(huge.peakKiB / 976.5625), peer, theirs: round(tools.peakKiB / 976.5625), budget: 150, rule: '150 MB in any process' },
      ],
    }
  } finally {
    server.stop()
  }
}

/** Once is enough: how much memory is used does not depend on the minute. */
function measureHuge(place, site, fetch) {
  const tree = join(place.tmpfs, 'huge-tree')
  mkdirSync(tree)
  writeFileSync(join(tree, 'file'), '')
  truncateSync(join(tree, 'file'), hugeBytes)
  const image = buildImage(place, { name: `${imageName}/huge`, tree, output: join(site, 'huge.aci'), compression: 'none' })
  rmSync(tree, { recursive: true })
  const { argv, after } = fetch('huge.aci')
  const sample = timed(place.timer, argv)
  after()
  rmSync(image)
  return sample
}
