import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

function podDirectories(place) {
  return readdirSync(join(place.data, 'pods')).flatMap((state) => readdirSync(join(place.data, 'pods', state)))
}

/** Mounts, pod directories, and control groups of these pods that exist now. */
function leftovers(place, ended) {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(place.data))
  const groups = prepare(['find', '/sys/fs/cgroup', '-type', 'd', '-name', '*rkt-*']).trim().split('\n')
  return [...mounts, ...podDirectories(place), ...groups.filter((group) => ended.some((uuid) => group.includes(uuid)))]
}
