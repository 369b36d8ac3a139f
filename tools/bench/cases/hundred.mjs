import { spawn } from 'node:child_process'
import { leftovers, podDirectories } from '../leftovers.mjs'
import { environment, median, prepare, round } from '../measure.mjs'
import { imageName } from '../place.mjs'

export const title = '100 pods started at once'
const pods = 100

/** Few rounds: one has a hundred samples already. */
export async function measure(place, runs) {
  const rkt = place.rktFlags(place.data)
  const rounds = []
  await startAll([...rkt, 'run', '--net=none', '--pull-policy=never', imageName], 4)
  prepare([...rkt, 'gc', '--grace-period=0s'])
  for (let index = 0; index < Math.max(1, Math.round(runs / 5)); index += 1) {
    const times = (await startAll([...rkt, 'run', '--net=none', '--pull-policy=never', imageName], pods)).toSorted((a, b) => a - b)
    const ended = podDirectories(place)
    if (ended.length !== pods) throw new Error(`${ended.length} pods are there`)
    const start = performance.now()
    prepare([...rkt, 'gc', '--grace-period=0s'])
    const gcMs = performance.now() - start
    const left = leftovers(place, ended)
    if (left.length > 0) throw new Error(`gc left behind:\n${left.join('\n')}`)
    rounds.push({ p50Ms: times[pods / 2 - 1], p99Ms: times[pods - 2], gcMs, timesMs: times.map(round) })
  }
  const [p50, p99, gc] = ['p50Ms', 'p99Ms', 'gcMs'].map((name) => median(rounds.map((one) => one[name])))
  return {
    results: { p50: { ms: p50 }, p99: { ms: p99 }, gc: { ms: gc }, rounds },
    rows: [
      { what: `${title}, p99 of start to end, ms`, ours: round(p99), peer: 'p50', theirs: round(p50), budget: round(5 * p50), rule: '5 × p50' },
      { what: 'rkt gc of 100 exited pods, ms; nothing is left', ours: round(gc), peer: '-', budget: 5000, rule: '5 s' },
    ],
  }
}

/** Milliseconds from start to end of each pod, all of them started at once. */
function startAll(argv, count) {
  const [program, ...rest] = argv
  return Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const start = performance.now()
    spawn(program, rest, { env: environment, stdio: 'ignore' }).once('exit', (status) => {
      if (status === 0) resolve(performance.now() - start)
      else reject(new Error(`a pod ended with ${status}`))
    })
  })))
}
