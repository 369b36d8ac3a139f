import test from 'ava'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parsePodUUID } from '../../../src/base/index.ts'
import { type Pod, takePrepared } from '../../../src/pod/index.ts'
import { makePlace, type Place, prepareSample } from './fixtures/sample.ts'

/** What another process sees. */
function seen(place: Place, pod: Pod): string | undefined {
  using other = place.pods.open(pod.uuid)
  return other?.state
}

test('create() gives a locked pod that others see as preparing', (t) => {
  using place = makePlace()
  using pod = place.pods.create()
  t.is(pod.state, 'preparing')
  t.is(seen(place, pod), 'preparing')
  t.regex(pod.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.true(existsSync(join(pod.dir, 'pod-created')))
})

test('pod directories are closed to other users, whatever the umask', (t) => {
  for (const umask of [0o000, 0o077]) {
    using place = makePlace()
    const before = process.umask(umask)
    try {
      using pod = place.pods.create()
      t.is(statSync(pod.dir).mode & 0o777, 0o750)
      t.is(statSync(join(place.dataDir, 'pods', 'run')).mode & 0o7777, 0o750)
    } finally {
      process.umask(before)
    }
  }
})

test('every state is told from the directory and the lock', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  t.is(seen(place, pod), 'preparing')
  pod.unlock()
  t.is(seen(place, pod), 'aborted prepare')
  t.true(pod.lock())
  pod.toPrepared()
  t.is(seen(place, pod), 'prepared')
  using runner = takePrepared(place.pods, pod.uuid)
  t.is(runner.state, 'running')
  t.is(seen(place, pod), 'running')
  runner.unlock()
  t.is(seen(place, pod), 'exited')
  runner.moveTo('exited-garbage')
  t.is(seen(place, pod), 'exited garbage')
  t.true(runner.lock())
  t.is(seen(place, pod), 'exited deleting')
  runner.moveTo('garbage')
  t.is(seen(place, pod), 'deleting')
  runner.unlock()
  t.is(seen(place, pod), 'garbage')
})

test('a pod that runs at once keeps its lock from prepare to run', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toRun()
  t.is(pod.state, 'running')
  t.is(seen(place, pod), 'running')
  t.is(pod.dir, join(place.dataDir, 'pods', 'run', pod.uuid))
})

test('an open pod can be read while its directory moves', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  using reader = place.pods.open(pod.uuid)
  if (reader === undefined) return t.fail()
  pod.toRun()
  t.false(existsSync(reader.dir))
  t.true(readFileSync(reader.inside('pod')).length > 0)
})

test('an embryo is an embryo, locked or not', (t) => {
  using place = makePlace()
  const uuid = parsePodUUID('11111111-2222-4333-8444-555555555555')
  mkdirSync(join(place.dataDir, 'pods', 'embryo', uuid), { recursive: true })
  using pod = place.pods.open(uuid)
  t.is(pod?.state, 'embryo')
  t.true(pod?.lock())
  t.is(pod?.state, 'embryo')
})

test('a pod is prepared once and taken once', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  t.throws(() => takePrepared(place.pods, pod.uuid), { code: 'wrong-state', message: `pod "${pod.uuid}" is not prepared` })
  pod.toPrepared()
  using _runner = takePrepared(place.pods, pod.uuid)
  t.throws(() => takePrepared(place.pods, pod.uuid), { code: 'wrong-state', message: `pod "${pod.uuid}" is not prepared` })
})

test('takePrepared() does not wait for a pod that another process runs', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toPrepared()
  using late = place.pods.openIn('prepared', pod.uuid)
  if (late === undefined) return t.fail()
  using _runner = takePrepared(place.pods, pod.uuid)
  const before = performance.now()
  t.false(late.lock())
  t.true(performance.now() - before < 200)
})

test('a rename that another process has won is told as such', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toPrepared()
  using one = place.pods.openIn('prepared', pod.uuid)
  using two = place.pods.openIn('prepared', pod.uuid)
  one?.moveTo('garbage')
  t.throws(() => two?.moveTo('run'), { code: 'not-found', message: /another process has moved or removed it$/ })
})

test('resolve() finds a pod by any unique prefix, in any letter case', (t) => {
  using place = makePlace()
  const uuids = ['aaaa1111-2222-4333-8444-555555555555', 'aaaa2222-2222-4333-8444-555555555555', 'bbbb1111-2222-4333-8444-555555555555'].map(parsePodUUID)
  for (const uuid of uuids) place.pods.create(uuid)[Symbol.dispose]()
  const [first, , third] = uuids
  t.is<unknown, unknown>(place.pods.resolve('B'), third)
  t.is<unknown, unknown>(place.pods.resolve('AAAA1'), first)
  t.is<unknown, unknown>(place.pods.resolve(first ?? ''), first)
  t.throws(() => place.pods.resolve('aaaa'), { code: 'ambiguous', message: 'ambiguous uuid, 2 matches' })
  t.throws(() => place.pods.resolve('Cc'), { code: 'not-found', message: 'no matches found for "cc"' })
  t.throws(() => place.pods.resolve(''), { message: 'UUID cannot be empty' })
  t.throws(() => place.pods.resolve('../run'), { code: 'not-found' })
})

test('list() and resolve() see neither embryos nor garbage', async (t) => {
  using place = makePlace()
  const uuid = '11111111-2222-4333-8444-555555555555'
  using pod = await prepareSample(place)
  mkdirSync(join(place.dataDir, 'pods', 'embryo', uuid))
  mkdirSync(join(place.dataDir, 'pods', 'garbage', '22222222-2222-4333-8444-555555555555'))
  mkdirSync(join(place.dataDir, 'pods', 'run', 'not-a-uuid'))
  t.deepEqual(place.pods.list().map((one) => one.uuid), [pod.uuid])
  t.throws(() => place.pods.resolve('1111'), { code: 'not-found' })
  t.throws(() => place.pods.resolve('2222'), { code: 'not-found' })
})

test('a data directory without pods has none', (t) => {
  using place = makePlace()
  t.deepEqual(place.pods.list(), [])
  t.is(place.pods.open(parsePodUUID('11111111-2222-4333-8444-555555555555')), undefined)
})
