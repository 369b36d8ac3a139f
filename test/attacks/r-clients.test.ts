import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { openScene } from '../functional/cli-scene.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags } from '../support/run.ts'

/** Half-open clients of a pod's control socket, which say nothing and go away. */
const clients = `
import os, socket, sys, time
os.chdir(sys.argv[1])
held = []
for _ in range(100):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect('control')
    held.append(s)
    time.sleep(0.005)
time.sleep(0.5)
`

test('F1 clients that open a pod and say nothing do not end it, whatever its limit of descriptors', async (t) => {
  using scene = await openScene(t)
  const words = [...placeFlags(scene.place.in('data')), '--insecure-options=image', 'run', '--net=none', scene.image, '--exec=/bin/sleep', '--', '60']
  const child = spawn('sh', ['-c', 'ulimit -n 48; exec "$@"', 'sh', rktProgram, ...words], { stdio: ['ignore', 'ignore', 'inherit'] })
  const exit = once(child, 'exit')
  const runs = scene.place.in('data', 'pods', 'run')
  const ready = (): boolean => existsSync(runs) && readdirSync(runs).some((uuid) => existsSync(`${runs}/${uuid}/pid`))
  for (const end = Date.now() + 20_000; !ready(); await sleep(20)) if (Date.now() > end) throw new Error('the pod did not start')
  const [uuid = ''] = readdirSync(runs)
  t.is(spawnSync('python3', ['-c', clients, `${runs}/${uuid}`]).status, 0)
  await sleep(200)
  t.is(child.exitCode, null)
  const entered = await scene.rkt(['enter', uuid, '/bin/echo', 'inside'])
  t.is(entered.stdout, 'inside\n', entered.stderr)
  child.kill('SIGTERM')
  t.is((await exit)[0], 143)
})
