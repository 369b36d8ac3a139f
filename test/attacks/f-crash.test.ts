import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { groupsOf, openPodScene, podDirectories, shellWords } from '../support/pod-scene.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags } from '../support/run.ts'
import { mountsBelow } from '../support/temp.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

const rounds = Number(process.env['RKT_TEST_ROUNDS'] ?? '30')

function start(words: readonly string[]): { readonly pid: number; readonly end: Promise<number | null> } {
  const log = openSync(scene.place.in('crash.log'), 'a')
  const child = spawn(rktProgram, [...placeFlags(scene.dir), '--insecure-options=image', ...words], { stdio: ['ignore', log, log], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
  closeSync(log)
  return { pid: child.pid ?? 0, end: new Promise((resolve) => child.on('exit', (code) => resolve(code))) }
}

function initOf(launcher: number): number | undefined {
  try {
    const first = readFileSync(`/proc/${launcher}/task/${launcher}/children`, 'utf8').trim().split(' ')[0]
    return first === undefined || first === '' ? undefined : Number(first)
  } catch {
    return undefined
  }
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined && pid > 1) process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself before.
  }
}

async function collectAll(): Promise<string> {
  const { stdout, stderr } = await scene.rkt(['gc', '--grace-period=0s', '--expire-prepared=0s'])
  return stdout + stderr
}

for (const target of ['outer launcher', 'pod init'] as const) {
  test.serial(`F3: after a kill -9 of the ${target} at a random moment states are right and a collection leaves nothing`, async (t) => {
    const seen = new Set<string>()
    const states = new Map<string, number>()
    for (let round = 0; round < rounds / 2; round++) {
      const pod = start(['run', '--net=none', scene.image, ...shellWords('sleep 0.15; exit 3')])
      await sleep(Math.random() * 400)
      kill(target === 'pod init' ? initOf(pod.pid) : pod.pid)
      await pod.end
      for (const path of podDirectories(scene.dir)) seen.add(path.split('/').at(-1) ?? '')
      for (const { state, name } of await settledPods()) {
        states.set(state, (states.get(state) ?? 0) + 1)
        t.regex(state, /^(aborted prepare|prepared|exited)$/, name)
      }
      if (round % 5 === 4) await collectAll()
    }
    const said = await collectAll()
    t.deepEqual([...podDirectories(scene.dir)].filter((path) => !path.includes('/embryo/')), [], said)
    t.deepEqual(groupsOf([...seen]), [])
    t.deepEqual(mountsBelow(scene.place.path), [])
    t.log([...states].map(([state, count]) => `${count} ${state}`).join(', '))
    t.is((await scene.shell('exit 4')).code, 4)
  })
}

/** Init ends with the launcher; its last breath may come after the launcher's. */
async function settledPods(): Promise<{ readonly state: string; readonly name: string }[]> {
  for (let attempt = 0; ; attempt++) {
    const pods = asPods(JSON.parse((await scene.rkt(['list', '--format=json'])).stdout))
    if (attempt === 20 || pods.every(({ state }) => state !== 'running')) return pods
    await sleep(100)
  }
}

function asPods(list: unknown): { readonly state: string; readonly name: string }[] {
  return Array.isArray(list) ? list.map((pod: { state: string; name: string }) => pod) : []
}

test.serial('SIGTERM at any moment ends a run that had not ended, and never with 0', async (t) => {
  for (let round = 0; round < rounds / 3; round++) {
    const app = (name: string): readonly string[] => [scene.image, `--name=${name}`, '--exec=/bin/sleep', '--', '1000']
    const pod = start(['run', '--net=none', ...app('a'), '---', ...app('b'), '---', ...app('c')])
    await sleep(40 + Math.random() * 200)
    process.kill(pod.pid, 'SIGTERM')
    t.not(await pod.end, 0)
  }
  await collectAll()
  t.deepEqual(podDirectories(scene.dir).filter((path) => !path.includes('/embryo/')), [])
})

test.serial('F3: an app does not outlive its launcher', async (t) => {
  const pod = await scene.start([scene.image, '--exec=/bin/sleep', '--', '54321'])
  const members = groupsOf([pod.uuid]).flatMap((group) => readFileSync(join(group, 'app-busybox/cgroup.procs'), 'utf8').trim().split('\n'))
  t.true(members.length > 0)
  process.kill(pod.pid, 'SIGKILL')
  await pod.end
  for (let waitedMs = 0; members.some((pid) => existsSync(`/proc/${pid}`)) && waitedMs < 3000; waitedMs += 20) await sleep(20)
  t.deepEqual(members.filter((pid) => existsSync(`/proc/${pid}`)), [])
  t.regex((await scene.rkt(['status', pod.uuid])).stdout, /^state=exited$/m)
  await collectAll()
  t.deepEqual(groupsOf([pod.uuid]), [])
})

test.serial('F3: a killed collection is finished by the next', async (t) => {
  for (let round = 0; round < 6; round++) {
    await Promise.all([0, 1].map(() => start(['run', '--net=none', scene.image, '--exec=/bin/true']).end))
    const collection = start(['gc', '--grace-period=0s'])
    await sleep(60 + Math.random() * 120)
    kill(collection.pid)
    await collection.end
    t.is((await scene.rkt(['list'])).code, 0)
  }
  await collectAll()
  t.deepEqual(podDirectories(scene.dir).filter((path) => !path.includes('/embryo/')), [])
})

test.serial('F6: a dozen pods started at once all run, and none waits for ever', async (t) => {
  const startedMs = Date.now()
  const times = await Promise.all(Array.from({ length: 12 }, async () => {
    const { code, stdout, uuid } = await scene.shell('cat /proc/self/uid_map; sleep 0.2; exit 5')
    t.is(code, 5)
    return { tookMs: Date.now() - startedMs, shift: stdout.trim().split(/\s+/)[1], uuid }
  }))
  t.is(new Set(times.map(({ shift }) => shift)).size, 12, 'no two live pods share a range of ids')
  t.deepEqual(groupsOf(times.map(({ uuid }) => uuid)), [])
  t.deepEqual(readdirSync(join(scene.dir, 'pods/run')), [])
  t.true(Math.max(...times.map(({ tookMs }) => tookMs)) < 30_000)
})
