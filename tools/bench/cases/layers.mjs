import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, round, sideBySide } from '../measure.mjs'
import { makeLayout } from '../oci-image.mjs'

export const title = 'run --rm --net=none of a 12-layer OCI image'

export function measure(place, runs) {
  const home = join(place.tmpfs, 'layers')
  mkdirSync(home)
  const trees = [place.busyboxTree, ...Array.from({ length: 11 }, (_, index) => smallTree(home, index))]
  const whole = join(home, 'whole')
  for (const tree of trees) cpSync(tree, whole, { recursive: true, verbatimSymlinks: true })
  const images = { twelve: trees, one: [whole] }
  const flags = [...place.rktFlags(join(home, 'data')), '--insecure-options=image']
  const runOf = (name) => {
    const layout = join(home, name)
    makeLayout(layout, { trees: images[name], command: ['/bin/true'] })
    const id = prepare([...flags, 'fetch', '--full', `oci:${layout}:1`]).trim()
    return { argv: [...flags, 'run', '--rm', '--net=none', id] }
  }
  const results = sideBySide(place.timer, { twelve: runOf('twelve'), one: runOf('one') }, 2 * runs)
  const { twelve, one } = results
  rmSync(home, { recursive: true })
  return {
    results,
    rows: [{ what: `${title}, ms`, ours: round(twelve.ms), peer: 'the same files in one layer', theirs: round(one.ms), budget: round(one.ms * 1.1), rule: '1.1 × one layer' }],
  }
}

function smallTree(home, index) {
  const tree = join(home, `small-${index}`)
  mkdirSync(join(tree, 'opt', `part-${index}`), { recursive: true })
  for (let file = 0; file < 10; file += 1) writeFileSync(join(tree, 'opt', `part-${index}`, `file-${file}`), `${index} ${file}\n`)
  return tree
}
