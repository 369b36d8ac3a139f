import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, round, sideBySide } from '../measure.mjs'
import { imageName } from '../place.mjs'

export const title = 'launcher alone: plan to exit of the app'

/** Runs the plan of a pod again and again; the pod directory is the one that rkt prepared. */
export function measure(place, runs) {
  const uuidFile = join(place.tmpfs, 'launcher-uuid')
  prepare([...place.rktFlags(place.data), 'run', '--net=none', '--pull-policy=never', `--uuid-file-save=${uuidFile}`, imageName])
  const pod = join(place.data, 'pods/run', readFileSync(uuidFile, 'utf8'))
  const launcher = join(place.root, 'build/lib/rkt/launcher')
  const opened = 'exec 4<"$1/plan" 5<"$1" && exec "$0" run 4 5 -1'
  const clean = () => rmSync(join(pod, 'failure'), { force: true })
  const results = sideBySide(
    place.timer,
    {
      rkt: { argv: ['sh', '-c', opened, launcher, pod], before: clean },
      bwrap: {
        argv: ['sh', '-c', 'exec 4</dev/null 5</ && exec "$0" "$@"', 'bwrap', '--unshare-all', '--ro-bind', place.busyboxTree, '/', '--proc', '/proc', '--dev', '/dev', '/bin/true'],
      },
    },
    runs * 2,
  )
  if (existsSync(join(pod, 'failure'))) throw new Error(readFileSync(join(pod, 'failure'), 'utf8'))
  const { rkt, bwrap } = results
  return {
    results,
    rows: [{ what: `${title}, ms`, ours: round(rkt.ms), peer: 'bwrap --unshare-all', theirs: round(bwrap.ms), budget: round(bwrap.ms * 1.5), rule: '1.5 × bwrap' }],
  }
}
