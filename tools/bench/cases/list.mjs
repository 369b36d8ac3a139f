import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, round, sideBySide } from '../measure.mjs'

const images = 200

export const title = `list ${images} images`

export function measure(place, runs) {
  const data = join(place.tmpfs, 'list-data')
  const flags = place.rktFlags(data)
  prepare([...flags.slice(0, 1), '--insecure-options=image', ...flags.slice(1), 'fetch', ...makeImages(join(place.tmpfs, 'list'))])
  const listed = prepare([...flags, 'image', 'list', '--no-legend']).trimEnd().split('\n').length
  if (listed !== images) throw new Error(`${listed} images are listed; expected ${images}`)
  const results = sideBySide(place.timer, { list: { argv: [...flags, 'image', 'list'] }, node: { argv: [process.execPath, '-e', '0'] } }, runs)
  rmSync(data, { recursive: true })
  const { list, node } = results
  return {
    results,
    rows: [{ what: `image list of ${images} images, ms`, ours: round(list.ms), peer: 'node -e 0', theirs: round(node.ms), budget: round(node.ms + 60), rule: 'bare Node + 60 ms' }],
  }
}

/** Small images, each with a name and a file of its own. */
function makeImages(home) {
  mkdirSync(join(home, 'rootfs'), { recursive: true })
  return Array.from({ length: images }, (_, index) => {
    const labels = [{ name: 'version', value: `1.0.${index}` }]
    writeFileSync(join(home, 'manifest'), JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: `example.com/list/image-${index}`, labels }))
    writeFileSync(join(home, 'rootfs/file'), `${index}\n`)
    const output = join(home, `${index}.aci`)
    prepare(['tar', '--create', `--file=${output}`, `--directory=${home}`, 'manifest', 'rootfs'])
    return output
  })
}
