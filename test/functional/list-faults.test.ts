import test from 'ava'
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { rktProgram } from '../support/paths.ts'
import { rkt } from '../support/run.ts'
import { openScene, type Scene } from './cli-scene.ts'

/** A pod in stage `prepared` and its directory. */
async function prepare(scene: Scene): Promise<{ readonly uuid: string; readonly path: string }> {
  const uuid = (await scene.rkt(['prepare', scene.image])).stdout.trim()
  return { uuid, path: scene.place.in('data', 'pods', 'prepared', uuid) }
}

test('a pod that a user may not open does not hide the others: list tells of it and succeeds', async (t) => {
  using scene = await openScene(t, { busybox: false })
  const [open, closed] = [await prepare(scene), await prepare(scene)]
  const stages = dirname(dirname(open.path))
  const opened = [scene.place.path, scene.place.in('data'), stages, ...readdirSync(stages).map((stage) => join(stages, stage)), open.path]
  for (const path of opened) chmodSync(path, 0o755)
  chmodSync(closed.path, 0o700)
  const program = scene.place.in('as-nobody')
  writeFileSync(program, `#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups ${rktProgram} "$@"\n`, { mode: 0o755 })
  const { code, stdout, stderr } = await rkt(['list', '--full', '--no-legend'], { dir: scene.place.in('data'), program })
  t.is(code, 0, stderr)
  t.true(stdout.startsWith(`${open.uuid}\t`))
  t.false(stdout.includes(closed.uuid))
  t.regex(stderr, new RegExp(`^list: \\d error\\(s\\) encountered when listing pods:\n-{40}\ncannot open pod "${closed.uuid}": EACCES: permission denied\n-{40}\n`))
  t.regex(stderr, /-{40}\nmisc:\n {2}rkt's appc version: /)
  t.is((await scene.rkt(['list', '--no-legend'])).stdout.split('\n').length, 3)
})

test('what is no directory in the place of a pod is passed over by list, gc and image gc', async (t) => {
  using scene = await openScene(t, { busybox: false })
  const { uuid, path } = await prepare(scene)
  writeFileSync(join(dirname(path), '00000000-0000-4000-8000-000000000001'), '')
  mkdirSync(scene.place.in('elsewhere'))
  symlinkSync(scene.place.in('elsewhere'), join(dirname(path), '00000000-0000-4000-8000-000000000002'))
  const [pod, ...others] = JSON.parse((await scene.rkt(['list', '--format=json'])).stdout)
  t.is(pod.name, uuid)
  t.deepEqual(others, [])
  t.is((await scene.rkt(['image', 'gc'])).code, 0)
  t.is((await scene.rkt(['gc', '--expire-prepared=0s', '--grace-period=0s'])).code, 0)
  t.is((await scene.rkt(['list', '--no-legend'])).stdout, '\n')
})

test('a pod whose manifest cannot be read is listed with dashes', async (t) => {
  using scene = await openScene(t, { busybox: false })
  const [good, bad] = [await prepare(scene), await prepare(scene)]
  const manifest = join(bad.path, 'pod')
  writeFileSync(manifest, '{')
  const { code, stdout, stderr } = await scene.rkt(['list', '--no-legend'])
  t.is(code, 0)
  t.regex(stdout, new RegExp(`^${bad.uuid.slice(0, 8)}\t-\t-\t+prepared`, 'm'))
  t.regex(stdout, new RegExp(`^${good.uuid.slice(0, 8)}\tbusybox\texample\\.com/busybox:1\\.0\\.0\tprepared`, 'm'))
  t.regex(stderr, /^list: 1 error\(s\) encountered when listing pods:$/m)
})
