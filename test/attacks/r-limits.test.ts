import { closeSync, openSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import test from 'ava'
import { openScene } from '../functional/cli-scene.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags } from '../support/run.ts'

test('F a post-stop handler that never ends is killed after the stop timeout', async (t) => {
  const eventHandlers = [{ name: 'post-stop', exec: ['/bin/busybox', 'sleep', '1000'] }]
  using scene = await openScene(t, { manifest: { app: { eventHandlers } } })
  const began = Date.now()
  const { code, timedOut } = await scene.run([], { timeoutMs: 30_000 })
  t.false(timedOut)
  t.is(code, 0)
  t.true(Date.now() - began >= 10_000)
})

test('C1 a caller with more than a thousand open descriptors can run a pod, which gets none of them', async (t) => {
  using scene = await openScene(t)
  const args = [...placeFlags(scene.place.in('data')), '--insecure-options=image', 'run', '--net=none', scene.image, '--exec=/bin/ls', '--', '/proc/self/fd']
  const fd = openSync('/etc/passwd', 'r')
  const many = Array.from({ length: 1500 }, () => fd)
  const { status, stdout } = spawnSync(rktProgram, args, { stdio: ['ignore', 'pipe', 'inherit', ...many], encoding: 'utf8' })
  closeSync(fd)
  t.is(status, 0)
  // The fourth is the listed directory itself.
  t.is(stdout, '0\n1\n2\n3\n')
})
