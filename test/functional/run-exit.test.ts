import { existsSync, readFileSync, statSync } from 'node:fs'
import test from 'ava'
import { openPodScene, shellWords, until } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

for (const [line, code] of [['true', 0], ['exit 7', 7], ['exit 254', 254], ['kill -9 $$', 137], ['kill -TERM $$', 143]] as const) {
  test(`the exit status of run is that of its app: ${line}`, async (t) => {
    const result = await scene.shell(line)
    t.is(result.code, code, result.stderr)
    t.is(result.signal, null)
  })
}

test('run --rm leaves no directory, mount or group', async (t) => {
  const { uuid, code } = await scene.shell('exit 3')
  t.is(code, 3)
  t.regex(uuid, /^[0-9a-f-]{36}$/)
  t.deepEqual(scene.leftovers([uuid]).filter((path) => path.includes(uuid)), [])
})

test('the first app that fails gives the status, the others get SIGTERM', async (t) => {
  const app = (name: string, line: string): readonly string[] => [scene.image, `--name=${name}`, ...shellWords(line)]
  const last = 'trap "echo asked; exit 6" TERM; while :; do sleep 0.1; done'
  const apps = [...app('zero', 'exit 0'), '---', ...app('five', 'sleep 0.5; exit 5'), '---', ...app('six', last)]
  const { code, stdout } = await scene.rkt(['run', '--rm', '--net=none', ...apps])
  t.is(code, 5)
  t.regex(stdout, /^\[ *\d+\.\d{6}\] six\[\d+\]: asked$/m)
})

test('a pod whose apps all end well ends with the last of them', async (t) => {
  const app = (name: string, line: string): readonly string[] => [scene.image, `--name=${name}`, ...shellWords(line)]
  const apps = [...app('a', 'true'), '---', ...app('b', 'sleep 0.5; echo late')]
  const { code, stdout } = await scene.rkt(['run', '--rm', '--net=none', ...apps])
  t.is(code, 0)
  t.regex(stdout, /b\[\d+\]: late\n/)
})

test('SIGTERM to run reaches the app, and a clean end is 0', async (t) => {
  const pod = await scene.start(['--rm', scene.image, ...shellWords('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done')])
  await until('the app', () => pod.stdout().includes('up'))
  process.kill(pod.pid, 'SIGTERM')
  const { code, stdout } = await pod.end
  t.is(code, 0)
  t.is(stdout, 'up\nbye\n')
  t.false(scene.leftovers([pod.uuid]).some((path) => path.includes(pod.uuid)))
})

test('an app that SIGTERM kills gives 143, and stop says so once', async (t) => {
  const pod = await scene.start([scene.image, '--exec=/bin/sleep', '--', '1000'])
  const stopped = await scene.rkt(['stop', pod.uuid])
  t.is(stopped.stdout, `"${pod.uuid}"\n`)
  t.is((await pod.end).code, 143)
  const again = await scene.rkt(['stop', pod.uuid])
  t.is(again.code, 0)
  t.is(again.stdout, `pod "${pod.uuid}" is already stopped\n`)
  const { stdout } = await scene.rkt(['status', pod.uuid])
  t.regex(stdout, /^state=exited$/m)
  t.regex(stdout, /^app-busybox=143$/m)
})

test('stop --force does not ask an app that ignores SIGTERM', async (t) => {
  const pod = await scene.start([scene.image, ...shellWords('trap "" TERM; echo up; while :; do sleep 0.1; done')])
  await until('the app', () => pod.stdout().includes('up'))
  const startedMs = Date.now()
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  t.true(Date.now() - startedMs < 5000)
  t.is((await pod.end).code, 137)
  t.regex((await scene.rkt(['status', pod.uuid])).stdout, /^state=exited$/m)
})

test('an app that ignores SIGTERM is killed when its time is up', async (t) => {
  const pod = await scene.start(['--rm', scene.image, ...shellWords('trap "" TERM; echo up; while :; do sleep 0.1; done')])
  await until('the app', () => pod.stdout().includes('up'))
  const startedMs = Date.now()
  process.kill(pod.pid, 'SIGTERM')
  t.is((await pod.end).code, 137)
  const tookMs = Date.now() - startedMs
  t.true(tookMs > 9000 && tookMs < 15_000, `${tookMs} ms`)
})

test('the UUID file is there while the pod runs, readable for all, without a newline', async (t) => {
  const pod = await scene.start(['--rm', scene.image, '--exec=/bin/sleep', '--', '1000'])
  const { stdout } = await scene.rkt(['list', '--full', '--no-legend'])
  t.true(stdout.includes(pod.uuid))
  process.kill(pod.pid, 'SIGTERM')
  await pod.end
  const { uuid } = await scene.shell('true')
  const path = scene.place.in('umask')
  t.is((await scene.bash(`umask 077; $RKT run --rm --net=none --uuid-file-save=${path} $IMAGE --exec=/bin/true`)).code, 0)
  t.is(readFileSync(path, 'utf8').length, uuid.length)
  t.is(statSync(path).mode & 0o777, 0o644)
})

test('status --wait waits for the end, with a time limit too', async (t) => {
  const pod = await scene.start([scene.image, '--exec=/bin/sleep', '--', '1000'])
  const limited = await scene.rkt(['status', '--wait=300ms', pod.uuid])
  t.is(limited.code, 254)
  t.regex(limited.stderr, /error waiting for pod to finish: context deadline exceeded/)
  const waiting = scene.rkt(['status', '--wait', pod.uuid])
  await scene.rkt(['stop', pod.uuid])
  t.regex((await waiting).stdout, /^app-busybox=143$/m)
})

test('a program that is missing, not executable or no program is named, and nothing is left', async (t) => {
  for (const [exec, reason] of [['/nope', 'No such file or directory'], ['nope', 'No such file or directory'], ['/etc/passwd', 'Permission denied']] as const) {
    const { code, stderr } = await scene.rkt(['run', '--rm', '--net=none', scene.image, `--exec=${exec}`])
    t.is(code, 254)
    t.true(stderr.endsWith(`stage1: cannot execute "${exec}": ${reason}\n`), stderr)
  }
})

test('a start that failed is told by status as well', async (t) => {
  const file = scene.place.in('failed')
  t.is((await scene.rkt(['run', '--net=none', `--uuid-file-save=${file}`, scene.image, '--exec=/nope'])).code, 254)
  const uuid = readFileSync(file, 'utf8')
  const { stdout } = await scene.rkt(['status', uuid])
  t.regex(stdout, /^state=exited$/m)
  t.regex(stdout, /cannot execute "\/nope": No such file or directory/)
  t.true(existsSync(`${scene.dir}/pods/run/${uuid}/failure`))
})
