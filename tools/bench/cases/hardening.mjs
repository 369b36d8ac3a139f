import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, round, sideBySide } from '../measure.mjs'
import { imageName } from '../place.mjs'

export const title = 'start with every protection, against one without'

/** The same launcher runs both plans in turn: masks, labels, Landlock, filter, bounding set, limits; and neither of them. */
export function measure(place, runs) {
  const launcher = join(place.root, 'build/lib/rkt/launcher')
  const opened = 'exec 4<"$1/plan" 5<"$1" && exec "$0" run 4 5 -1'
  const pods = {
    rkt: makePod(place, 'hardened', { app: ['--readonly-rootfs', '--memory=256M', '--cpu=2', '--oom-score-adj=100'] }),
    plain: makePod(place, 'plain', { flags: ['--insecure-options=all-run'] }),
  }
  const run = (pod) => ({ argv: ['sh', '-c', opened, launcher, pod], before: () => rmSync(join(pod, 'failure'), { force: true }) })
  const results = sideBySide(place.timer, { rkt: run(pods.rkt), plain: run(pods.plain) }, runs * 4)
  for (const pod of Object.values(pods)) if (existsSync(join(pod, 'failure'))) throw new Error(readFileSync(join(pod, 'failure'), 'utf8'))
  const { rkt, plain } = results
  return {
    results,
    rows: [{ what: `${title}, ms`, ours: round(rkt.ms), peer: '--insecure-options=all-run', theirs: round(plain.ms), budget: round(plain.ms + 3), rule: 'plain + 3 ms' }],
  }
}

function makePod(place, name, { flags = [], app = [] }) {
  const uuidFile = join(place.tmpfs, `${name}-uuid`)
  prepare([...place.rktFlags(place.data), 'run', '--net=none', '--pull-policy=never', `--uuid-file-save=${uuidFile}`, ...flags, imageName, ...app])
  return join(place.data, 'pods/run', readFileSync(uuidFile, 'utf8'))
}
