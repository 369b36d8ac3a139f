import test from 'ava'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parsePodUUID, silentLog } from '../../src/base/index.ts'
import { collectPods, readStatus, takePrepared } from '../../src/pod/index.ts'
import { mountsBelow } from '../support/temp.ts'
import { makePlace, type Place, prepareSample } from '../unit/pod/fixtures/sample.ts'

const program = fileURLToPath(new URL('../unit/pod/fixtures/live-pod.js', import.meta.url))

interface LivePod {
  readonly child: ChildProcess
  /** What the child wrote: the UUID of its pod. */
  readonly line: string
}

/** Starts the fixture and waits until it has reached the phase. */
async function start(place: Place, ...words: readonly string[]): Promise<LivePod> {
  const child = spawn(process.execPath, [program, place.dataDir, ...words], { stdio: ['ignore', 'pipe', 'inherit'], env: {} })
  for await (const line of createInterface({ input: child.stdout })) return { child, line }
  throw new Error(`the fixture ended in phase ${words.join(' ')}`)
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function collect(place: Place, aheadMs = 0): Promise<void> {
  await collectPods(place.pods, {
    graceMs: 0,
    expirePreparedMs: 86_400_000,
    markOnly: false,
    now: () => Date.now() + aheadMs,
    teardown: async () => undefined,
    log: silentLog,
    out: () => undefined,
  })
}

function left(place: Place): string[] {
  const pods = join(place.dataDir, 'pods')
  // Processes that were killed before they began have made no directory.
  const stages = existsSync(pods) ? readdirSync(pods) : []
  return [...stages.flatMap((stage) => readdirSync(join(pods, stage)).map((name) => `${stage}/${name}`)), ...mountsBelow(place.dataDir)]
}

function states(place: Place): string[] {
  return place.pods.list().map((pod) => {
    using opened = pod
    return opened.state
  })
}

/** A program that copied for the killed process holds the pod's lock until the kernel has ended it too. */
async function isSettled(place: Place): Promise<boolean> {
  const ended = ['aborted prepare', 'prepared', 'exited', 'exited garbage']
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (states(place).every((state) => ended.includes(state))) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

const phases = [
  { phase: 'prepare', alive: 'preparing', dead: 'aborted prepare' },
  { phase: 'run', alive: 'running', dead: 'exited' },
] as const

for (const { phase, alive, dead } of phases) {
  test(`a process killed in phase ${phase} leaves a pod that is ${dead}, and the next collection leaves nothing`, async (t) => {
    using place = makePlace()
    const { child, line } = await start(place, phase)
    const uuid = place.pods.resolve(line)
    const state = (): string | undefined => {
      using pod = place.pods.open(uuid)
      return pod === undefined ? undefined : readStatus(pod).state
    }
    t.is(state(), alive)
    await collect(place)
    t.is(state(), alive)
    await kill(child)
    t.is(state(), dead)
    await collect(place)
    t.deepEqual(left(place), [])
  })
}

test('a process killed between mkdir and lock leaves an embryo, which a later collection removes', async (t) => {
  using place = makePlace()
  place.pods.create()[Symbol.dispose]()
  await collect(place)
  const { child, line } = await start(place, 'embryo')
  await kill(child)
  t.is(place.pods.open(parsePodUUID(line))?.state, 'embryo')
  await collect(place, 61_000)
  t.deepEqual(left(place), [])
})

test('a process killed after it took a prepared pod leaves an exited one', async (t) => {
  using place = makePlace()
  using prepared = await prepareSample(place)
  prepared.toPrepared()
  const { child } = await start(place, 'take', prepared.uuid)
  t.is(place.pods.open(prepared.uuid)?.state, 'running')
  t.throws(() => takePrepared(place.pods, prepared.uuid), { code: 'wrong-state' })
  await kill(child)
  t.is(place.pods.open(prepared.uuid)?.state, 'exited')
  await collect(place)
  t.deepEqual(left(place), [])
})

test('processes killed at random moments of create, prepare, run and collection leave nothing behind', async (t) => {
  using place = makePlace()
  for (let round = 0; round < 12; round += 1) {
    const words = round % 3 === 2 ? ['collect'] : ['churn']
    const child = spawn(process.execPath, [program, place.dataDir, ...words], { stdio: ['ignore', 'ignore', 'inherit'], env: {} })
    await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 250))
    await kill(child)
    t.true(await isSettled(place), states(place).join(', '))
  }
  await collectPods(place.pods, {
    graceMs: 0,
    expirePreparedMs: 0,
    markOnly: false,
    now: () => Date.now() + 61_000,
    teardown: async () => undefined,
    log: silentLog,
    out: () => undefined,
  })
  t.deepEqual(left(place), [])
})
