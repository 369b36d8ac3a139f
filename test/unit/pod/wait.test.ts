import test from 'ava'
import { symlinkSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { RktError } from '../../../src/base/index.ts'
import { isReady, takePrepared, waitForExit, waitForReady, waitForStart } from '../../../src/pod/index.ts'
import { makePlace, prepareSample } from './fixtures/sample.ts'

const never: AbortSignal = new AbortController().signal

/** Whether `wait` is still going on after a while. */
async function goesOn(wait: Promise<void>): Promise<boolean> {
  const asleep = Symbol('asleep')
  return (await Promise.race([wait, delay(150, asleep)])) === asleep
}

test('waitForExit() follows a pod from its preparation to its end', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  const wait = waitForExit(pod, { signal: never })
  t.true(await goesOn(wait))
  pod.toPrepared()
  t.true(await goesOn(wait))
  using runner = takePrepared(place.pods, pod.uuid)
  t.true(await goesOn(wait))
  runner.unlock()
  await wait
  t.pass()
})

test('waitForExit() follows a pod that runs at once', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  using seen = place.pods.open(pod.uuid)
  const wait = waitForExit(seen ?? pod, { signal: never })
  t.true(await goesOn(wait))
  pod.toRun()
  t.true(await goesOn(wait))
  pod.unlock()
  await wait
  t.pass()
})

test('waitForExit() returns at once for a pod that has ended, and for an aborted prepare', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.unlock()
  await waitForExit(pod, { signal: never })
  pod.moveTo('run')
  await waitForExit(pod, { signal: never })
  pod.moveTo('exited-garbage')
  await waitForExit(pod, { signal: never })
  t.pass()
})

test('the wait leaves the lock as it found it', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toRun()
  using seen = place.pods.open(pod.uuid)
  const wait = waitForExit(seen ?? pod, { signal: never })
  await delay(50)
  pod.unlock()
  await wait
  t.true(pod.lock())
})

test('a wait ends with the text of the original when its time is over', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toRun()
  using seen = place.pods.open(pod.uuid)
  await t.throwsAsync(waitForExit(seen ?? pod, { signal: never, timeoutMs: 50 }), {
    code: 'timeout',
    message: 'error waiting for pod to finish: context deadline exceeded',
  })
  pod.unlock()
  pod.moveTo('prepared')
  await t.throwsAsync(waitForExit(seen ?? pod, { signal: never, timeoutMs: 50 }), { code: 'timeout' })
})

test('a wait ends when the command is interrupted', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toRun()
  using seen = place.pods.open(pod.uuid)
  const controller = new AbortController()
  const wait = waitForExit(seen ?? pod, { signal: controller.signal, timeoutMs: 60_000 })
  controller.abort(new RktError('cancelled', 'interrupted'))
  await t.throwsAsync(wait, { code: 'cancelled' })
})

test('a pod that is removed while it is waited for is not present any more', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toPrepared()
  using seen = place.pods.open(pod.uuid)
  pod.moveTo('garbage')
  await waitForExit(seen ?? pod, { signal: never })
  using other = makePlace()
  using stranger = other.pods.create()
  other[Symbol.dispose]()
  await t.throwsAsync(waitForExit(stranger, { signal: never }), { code: 'not-found', message: `pod "${stranger.uuid}" was not present` })
})

test('waitForStart() waits for the pid, waitForReady() until the launcher says that the pod is ready', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  using seen = place.pods.open(pod.uuid)
  const started = waitForStart(seen ?? pod, { signal: never })
  const ready = waitForReady(seen ?? pod, { signal: never })
  pod.toRun()
  t.true(await goesOn(started))
  writeFileSync(pod.inside('stage1/rootfs/rkt/status/busybox-started'), '')
  writeFileSync(pod.inside('pid'), '1')
  await started
  t.true(await goesOn(ready))
  symlinkSync('ready', pod.inside('stage1/rootfs/rkt/supervisor-status'))
  await ready
  t.true(isReady(pod))
})

test('waitForReady() ends with a pod that never gets ready', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toRun()
  using seen = place.pods.open(pod.uuid)
  const wait = waitForReady(seen ?? pod, { signal: never })
  t.true(await goesOn(wait))
  pod.unlock()
  await wait
  t.pass()
})
