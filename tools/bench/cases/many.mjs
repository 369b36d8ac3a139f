import { spawn } from 'node:child_process'
import { leftovers, podDirectories } from '../leftovers.mjs'
import { environment, median, prepare, round } from '../measure.mjs'
import { imageName } from '../place.mjs'

export const title = '20 pods started at once'
const pods = 20

export async function measure(place, runs) {
  const argv = [...place.rktFlags(place.data), 'run', '--net=none', '--pull-policy=never', imageName]
  const one = []
  const all = []
  const left = []
  for (let index = -1; index < runs; index += 1) {
    const [alone, together] = [await startTogether(argv, 1), await startTogether(argv, pods)]
    const ended = podDirectories(place)
    prepare([...place.rktFlags(place.data), 'gc', '--grace-period=0s'])
    left.push(...leftovers(place, ended))
    if (index < 0) continue
    one.push(alone)
    all.push(together)
  }
  if (left.length > 0) throw new Error(`gc left behind:\n${left.join('\n')}`)
  const [oneMs, allMs] = [median(one), median(all)]
  return {
    results: { one: { ms: oneMs }, twenty: { ms: allMs, samplesMs: all.map(round) }, leftAfterGc: left },
    rows: [{ what: `${title}, ms`, ours: round(allMs), peer: 'one pod', theirs: round(oneMs), budget: round(oneMs * pods), rule: '20 × one; gc leaves nothing' }],
  }
}

/** Milliseconds from the first start to the last end. */
async function startTogether(argv, count) {
  const start = performance.now()
  const [program, ...rest] = argv
  const statuses = await Promise.all(
    Array.from({ length: count }, () => new Promise((resolve) => spawn(program, rest, { env: environment, stdio: 'ignore' }).once('exit', resolve))),
  )
  if (statuses.some((status) => status !== 0)) throw new Error(`pods ended with ${statuses.join(' ')}`)
  return performance.now() - start
}
