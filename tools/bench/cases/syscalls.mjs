import { join } from 'node:path'
import { median, prepare, round } from '../measure.mjs'
import { makePodman } from '../podman.mjs'
import { imageName } from '../place.mjs'

export const title = 'a round of 18 system calls under the default filter'
const rounds = 60_000

/** What the program itself has measured, so that starts do not count; both run once in each round. */
export function measure(place, runs) {
  const program = join(place.tmpfs, 'syscalls')
  prepare(['cc', '-O2', '-static', '-o', program, join(import.meta.dirname, '../syscalls.c')])
  const podman = makePodman(place)
  const volume = [`--volume=program,kind=host,source=${program},readOnly=true`]
  const rkt = [...place.rktFlags(place.data), 'run', '--rm', '--net=none', '--pull-policy=never', ...volume, imageName]
  const inside = ['--mount=volume=program,target=/syscalls', '--exec=/syscalls', '--', String(rounds)]
  const competitors = {
    rkt: () => prepare([...rkt, ...inside]),
    runc: () => prepare(podman.run('--rm', `--volume=${program}:/syscalls:ro`, ['/syscalls', String(rounds)]), { env: podman.env }),
    none: () => prepare([program, String(rounds)]),
  }
  const samples = Object.fromEntries(Object.keys(competitors).map((name) => [name, []]))
  for (let index = -1; index < runs; index += 1) {
    for (const [name, run] of Object.entries(competitors)) {
      const nanoseconds = Number(run())
      if (index >= 0) samples[name].push(nanoseconds)
    }
  }
  const [ours, theirs, bare] = ['rkt', 'runc', 'none'].map((name) => median(samples[name]))
  return {
    results: { rkt: { ns: ours, samplesNs: samples.rkt }, runc: { ns: theirs, samplesNs: samples.runc }, none: { ns: bare } },
    rows: [{ what: `${title}, µs`, ours: round(ours / 1000), peer: 'podman --runtime runc', theirs: round(theirs / 1000), budget: round((theirs * 1.05) / 1000), rule: '1.05 × runc' }],
  }
}
