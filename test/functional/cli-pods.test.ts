import { spawn } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { rktProgram } from '../support/paths.ts'
import { placeFlags } from '../support/run.ts'
import { openScene, shell, type Scene } from './cli-scene.ts'

interface RunningPod extends AsyncDisposable {
  readonly uuid: string
  /** Exit status of `run-prepared`. */
  readonly ended: Promise<number | null>
  /** Sends SIGTERM to the process that was started as `run-prepared`. */
  terminate(): void
}

/** A pod of one app that is ready. */
async function start(t: ExecutionContext, scene: Scene, line: string): Promise<RunningPod> {
  const prepared = await scene.rkt(['prepare', scene.image, ...shell(line)])
  t.is(prepared.code, 0, prepared.stderr)
  const uuid = prepared.stdout.trim()
  const child = spawn(rktProgram, [...placeFlags(scene.place.in('data')), 'run-prepared', '--net=none', uuid], { stdio: 'ignore' })
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const ready = await scene.rkt(['status', '--wait-ready=20s', uuid])
  t.regex(ready.stdout, /^state=running\n/, ready.stderr)
  return {
    uuid,
    ended,
    terminate: () => child.kill('SIGTERM'),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

test('prepare prints a UUID that run-prepared runs once', async (t) => {
  using scene = await openScene(t)
  const uuid = (await scene.rkt(['prepare', scene.image, ...shell('echo prepared; exit 9')])).stdout
  t.regex(uuid, /^[0-9a-f]{8}-[0-9a-f-]{27}\n$/)
  t.regex((await scene.rkt(['list', '--no-legend'])).stdout, /\tbusybox\texample\.com\/busybox:1\.0\.0\tprepared\t/)
  const { code, stdout } = await scene.rkt(['run-prepared', '--net=none', uuid.slice(0, 8)])
  t.is(code, 9)
  t.is(stdout, 'prepared\n')
  const again = await scene.rkt(['run-prepared', '--net=none', uuid.trim()])
  t.is(again.code, 254)
  t.regex(again.stderr, /^run-prepared: pod ".*" is not prepared$/m)
})

test('list splits on TAB, in the short and the long form', async (t) => {
  using scene = await openScene(t)
  await scene.rkt(['prepare', scene.image, '--name=one', scene.image, '--name=two'])
  const short = (await scene.rkt(['list'])).stdout.trimEnd().split('\n').map((line) => line.split(/\t+/))
  t.deepEqual(short[0], ['UUID', 'APP', 'IMAGE NAME', 'STATE', 'CREATED', 'STARTED', 'NETWORKS'])
  t.deepEqual(short[1]?.slice(1, 4), ['one', 'example.com/busybox:1.0.0', 'prepared'])
  t.deepEqual(short[2]?.slice(0, 2), ['', 'two'])
  const full = (await scene.rkt(['list', '--full', '--no-legend'])).stdout.split('\n')[0]?.split(/\t+/)
  t.deepEqual([full?.[0]], scene.pods())
  t.is(full?.[3], scene.image.slice(0, 19))
  t.regex(full?.[5] ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \S+$/)
})

test('status and list print JSON', async (t) => {
  using scene = await openScene(t)
  await scene.run([...shell('exit 2')])
  const [uuid = ''] = scene.pods()
  const compact = (await scene.rkt(['status', '--format=json', uuid])).stdout
  const pod = JSON.parse(compact)
  t.is(compact.split('\n').length, 2)
  t.like(pod, { name: uuid, state: 'exited', app_names: ['busybox'] })
  t.like(pod.apps[0], { name: 'busybox', state: 'exited', exit_code: 2, image_id: scene.image })
  t.deepEqual(JSON.parse((await scene.rkt(['list', '--format=json-pretty'])).stdout), [pod])
})

test('status tells states, exit codes and who vouches for the image', async (t) => {
  using scene = await openScene(t)
  await using pod = await start(t, scene, 'sleep 100')
  const running = (await scene.rkt(['status', pod.uuid])).stdout
  t.regex(running, /^state=running\ncreated=.+\nstarted=.+\nnetworks=\npid=\d+\nexited=false\n/)
  t.regex(running, /waived: --insecure-options=image/)
  const late = await scene.rkt(['status', '--wait=100ms', pod.uuid])
  t.is(late.code, 254)
  t.is(late.stderr, 'status: error waiting for pod to finish: context deadline exceeded\n')
  await scene.rkt(['stop', pod.uuid])
  t.regex((await scene.rkt(['status', '--wait', pod.uuid])).stdout, /^state=exited\n[^]*\nexited=true\napp-busybox=143\n/)
  t.is(await pod.ended, 143)
})

test('status of an unknown pod', async (t) => {
  using scene = await openScene(t)
  const { code, stderr } = await scene.rkt(['status', 'ffff'])
  t.is(code, 254)
  t.is(stderr, 'status: problem retrieving pod: no matches found for "ffff"\n')
})

test('cat-manifest prints the pod manifest, indented or not', async (t) => {
  using scene = await openScene(t)
  const uuid = (await scene.rkt(['prepare', scene.image])).stdout.trim()
  const pretty = (await scene.rkt(['cat-manifest', uuid])).stdout
  t.regex(pretty, /^\{\n\t"acVersion"/)
  const compact = (await scene.rkt(['--pretty-print=false', 'cat-manifest', uuid])).stdout
  t.is(compact.split('\n').length, 2)
  t.deepEqual(JSON.parse(pretty), JSON.parse(compact))
})

test('enter runs a command in the app and gives its status', async (t) => {
  using scene = await openScene(t)
  await using pod = await start(t, scene, 'sleep 100')
  const entered = await scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', 'echo $AC_APP_NAME $$; exit 6'])
  t.is(entered.code, 6, entered.stderr)
  t.regex(entered.stdout, /^busybox \d+\n$/)
  t.regex((await scene.rkt(['enter', '--app=frob', pod.uuid, 'true'])).stderr, /has no app "frob"/)
  const assumed = await scene.rkt(['enter', pod.uuid])
  t.regex(assumed.stderr, /^enter: no command specified, assuming "\/bin\/bash"\n/)
})

test('enter refuses a pod that does not run', async (t) => {
  using scene = await openScene(t)
  const uuid = (await scene.rkt(['prepare', scene.image])).stdout.trim()
  const { code, stderr } = await scene.rkt(['enter', uuid, 'true'])
  t.is(code, 254)
  t.is(stderr, `enter: pod "${uuid}" isn't currently running\n`)
})

test('stop prints the quoted UUID, and counts an ended pod as stopped', async (t) => {
  using scene = await openScene(t)
  await using pod = await start(t, scene, 'sleep 100')
  const stopped = await scene.rkt(['stop', pod.uuid])
  t.is(stopped.code, 0, stopped.stderr)
  t.is(stopped.stdout, `"${pod.uuid}"\n`)
  const again = await scene.rkt(['stop', pod.uuid])
  t.is(again.code, 0)
  t.is(again.stdout, `pod "${pod.uuid}" is already stopped\n`)
})

test('stop --timeout kills an app that ignores SIGTERM; --force does not ask', async (t) => {
  using scene = await openScene(t)
  await using patient = await start(t, scene, 'trap "" TERM; while true; do sleep 1; done')
  t.is((await scene.rkt(['stop', '--timeout=300ms', patient.uuid])).code, 0)
  t.not(await patient.ended, 0)
  await using forced = await start(t, scene, 'trap "exit 0" TERM; while true; do sleep 1; done')
  t.is((await scene.rkt(['stop', '--force', forced.uuid])).code, 0)
  t.not(await forced.ended, 0)
})

test('stop reports what it cannot stop, and stops the rest', async (t) => {
  using scene = await openScene(t)
  const prepared = (await scene.rkt(['prepare', scene.image])).stdout.trim()
  await using pod = await start(t, scene, 'sleep 100')
  const { code, stdout, stderr } = await scene.rkt(['stop', prepared, 'ffffffff', pod.uuid])
  t.is(code, 254)
  t.is(stdout, `"${pod.uuid}"\n`)
  t.is(stderr, `stop: pod "${prepared}" is not running\nstop: cannot get pod: no matches found for "ffffffff"\nstop: failed to stop 2 pod(s)\n`)
})

test('rm removes what is not in use', async (t) => {
  using scene = await openScene(t)
  await using pod = await start(t, scene, 'sleep 100')
  const prepared = (await scene.rkt(['prepare', scene.image])).stdout.trim()
  const refused = await scene.rkt(['rm', pod.uuid, prepared])
  t.is(refused.code, 254)
  t.is(refused.stdout, `"${prepared}"\n`)
  t.regex(refused.stderr, new RegExp(`^rm: pod "${pod.uuid}" is currently running$`, 'm'))
  t.regex(refused.stderr, /^rm: moving expired prepared pod ".*" to garbage$/m)
  t.regex(refused.stderr, /^rm: failed to remove one or more pods$/m)
  t.deepEqual(scene.pods(), [pod.uuid])
})

test('gc marks, waits, and removes', async (t) => {
  using scene = await openScene(t)
  await scene.run([])
  const [uuid = ''] = scene.pods()
  const marked = await scene.rkt(['gc', '--mark-only'])
  t.is(marked.stderr.replace(/^gc: warning.*\n/m, ''), `gc: moving pod "${uuid}" to garbage\n`)
  t.regex((await scene.rkt(['gc'])).stderr, /not removed: still within grace period \(30m0s\)/)
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).stdout, `Garbage collecting pod "${uuid}"\n`)
  t.deepEqual(scene.pods(), [])
})

test('logs prints what the apps wrote, each stream to its own', async (t) => {
  using scene = await openScene(t)
  await scene.run(shell('echo out; echo err >&2; printf unfinished'))
  const [uuid = ''] = scene.pods()
  const { stdout, stderr } = await scene.rkt(['logs', uuid])
  t.is(stdout, 'out\nunfinished')
  t.is(stderr, 'err\n')
  t.regex((await scene.rkt(['logs', '--timestamps', uuid])).stdout, /^\d{4}-\d\d-\d\dT\S+Z out\n/)
  t.is((await scene.rkt(['logs', '--since=2100-01-01T00:00:00Z', uuid])).stdout, '')
  t.is((await scene.rkt(['logs', '--since=1h', '--app=busybox', uuid])).stdout, 'out\nunfinished')
  t.is((await scene.rkt(['logs', '--app=frob', uuid])).code, 254)
})

test('logs --follow goes on until the pod ends', async (t) => {
  using scene = await openScene(t)
  await using pod = await start(t, scene, 'for i in 1 2 3 4 5; do echo $i; sleep 0.3; done')
  t.is((await scene.rkt(['logs', '--follow', pod.uuid])).stdout, '1\n2\n3\n4\n5\n')
})

test('SIGTERM to run reaches the app; a waiting command ends by the signal itself', async (t) => {
  using scene = await openScene(t)
  await using pod = await start(t, scene, 'trap "exit 9" TERM; while true; do sleep 0.1; done')
  const waiting = spawn(rktProgram, [...placeFlags(scene.place.in('data')), 'status', '--wait', pod.uuid], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => waiting.on('exit', (_code, signal) => resolve(signal)))
  // Once the program listens, the signal is its own to handle.
  await scene.rkt(['list'])
  waiting.kill('SIGTERM')
  t.is(await ended, 'SIGTERM')
  pod.terminate()
  t.is(await pod.ended, 9)
})
