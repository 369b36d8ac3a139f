import test from 'ava'
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RktError } from '../../../src/base/index.ts'
import { type CollectOptions, collectPods, type Pod, removePod } from '../../../src/pod/index.ts'
import { mountsBelow } from '../../support/temp.ts'
import { makePlace, type Place, prepareSample, recordingLog } from './fixtures/sample.ts'

interface Collection {
  readonly said: readonly string[]
  readonly printed: readonly string[]
  readonly tornDown: readonly string[]
}

async function collect(place: Place, options: Partial<CollectOptions> = {}): Promise<Collection> {
  const { log, lines } = recordingLog()
  const printed: string[] = []
  const tornDown: string[] = []
  await collectPods(place.pods, {
    graceMs: 0,
    expirePreparedMs: 86_400_000,
    markOnly: false,
    now: Date.now,
    teardown: async (dir) => void tornDown.push(dir),
    log,
    out: (line) => void printed.push(line),
    ...options,
  })
  return { said: lines, printed, tornDown }
}

function directories(place: Place): string[] {
  return readdirSync(join(place.dataDir, 'pods')).flatMap((stage) => readdirSync(join(place.dataDir, 'pods', stage)).map((uuid) => `${stage}/${uuid}`))
}

async function exitedPod(place: Place): Promise<Pod> {
  const pod = await prepareSample(place)
  pod.toRun()
  pod.unlock()
  return pod
}

test('an exited pod is marked, and deleted when its time of grace is over', async (t) => {
  using place = makePlace()
  using pod = await exitedPod(place)
  const first = await collect(place, { graceMs: 1_800_000 })
  t.deepEqual(first.said, [`moving pod "${pod.uuid}" to garbage`, `pod "${pod.uuid}" not removed: still within grace period (30m0s)`])
  t.deepEqual([first.printed, first.tornDown], [[], []])
  t.deepEqual(directories(place), [`exited-garbage/${pod.uuid}`])
  const later = await collect(place, { graceMs: 1_800_000, now: () => Date.now() + 1_800_001 })
  t.deepEqual(later.printed, [`Garbage collecting pod "${pod.uuid}"`])
  t.deepEqual(later.tornDown, [join(place.dataDir, 'pods/exited-garbage', pod.uuid)])
  t.deepEqual(directories(place), [])
})

test('the time of grace begins with the mark, not with the exit', async (t) => {
  using place = makePlace()
  using pod = await exitedPod(place)
  utimesSync(pod.dir, 1, 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await collect(place, { graceMs: 40 })
  t.deepEqual(directories(place), [`exited-garbage/${pod.uuid}`])
})

test('no time of grace removes at once', async (t) => {
  using place = makePlace()
  using _pod = await exitedPod(place)
  await collect(place)
  t.deepEqual(directories(place), [])
})

test('no time of grace removes at once, also when the clock is behind the file system', async (t) => {
  using place = makePlace()
  using _pod = await exitedPod(place)
  await collect(place, { now: () => Date.now() - 1 })
  t.deepEqual(directories(place), [])
})

test('--mark-only moves what has ended and deletes nothing', async (t) => {
  using place = makePlace()
  using exited = await exitedPod(place)
  using aborted = place.pods.create()
  aborted.unlock()
  const { said } = await collect(place, { markOnly: true })
  t.deepEqual(said, [`moving pod "${exited.uuid}" to garbage`, `moving failed prepare "${aborted.uuid}" to garbage`])
  t.deepEqual(directories(place).sort(), [`exited-garbage/${exited.uuid}`, `garbage/${aborted.uuid}`].sort())
})

test('pods in use are left alone', async (t) => {
  using place = makePlace()
  using running = await prepareSample(place)
  running.toRun()
  using preparing = place.pods.create()
  using prepared = await prepareSample(place)
  prepared.toPrepared()
  await collect(place)
  t.deepEqual(directories(place).sort(), [`run/${running.uuid}`, `prepare/${preparing.uuid}`, `prepared/${prepared.uuid}`].sort())
})

test('a prepared pod expires', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toPrepared()
  const { said } = await collect(place, { expirePreparedMs: 0 })
  t.deepEqual(said, [`moving expired prepared pod "${pod.uuid}" to garbage`])
  t.deepEqual(directories(place), [])
})

test('an embryo that nobody holds is collected after a minute', async (t) => {
  using place = makePlace()
  const uuid = '11111111-2222-4333-8444-555555555555'
  mkdirSync(join(place.dataDir, 'pods/embryo', uuid), { recursive: true })
  mkdirSync(join(place.dataDir, 'pods/garbage'))
  await collect(place)
  t.deepEqual(directories(place), [`embryo/${uuid}`])
  await collect(place, { now: () => Date.now() + 61_000 })
  t.deepEqual(directories(place), [])
})

test('an embryo that its maker holds is not collected, however old', async (t) => {
  using place = makePlace()
  const uuid = '11111111-2222-4333-8444-555555555555'
  mkdirSync(join(place.dataDir, 'pods/embryo', uuid), { recursive: true })
  mkdirSync(join(place.dataDir, 'pods/garbage'))
  using maker = place.pods.openIn('embryo', place.pods.uuidsIn('embryo')[0] ?? t.fail())
  t.true(maker?.lock())
  await collect(place, { now: () => Date.now() + 3_600_000 })
  t.deepEqual(directories(place), [`embryo/${uuid}`])
})

test('symbolic links are removed, not followed', async (t) => {
  using place = makePlace()
  using pod = await exitedPod(place)
  mkdirSync(join(place.dataDir, 'victim'))
  writeFileSync(join(place.dataDir, 'victim/file'), 'x')
  symlinkSync(join(place.dataDir, 'victim'), join(pod.dir, 'link'))
  symlinkSync(join(place.dataDir, 'victim'), join(pod.dir, 'logs/link'))
  symlinkSync('nowhere', join(pod.dir, 'logs/dangling'))
  await collect(place)
  t.deepEqual(directories(place), [])
  t.is(readFileSync(join(place.dataDir, 'victim/file'), 'utf8'), 'x')
})

test('names that are no text, paths longer than the kernel takes, and directories closed to all are removed', async (t) => {
  using place = makePlace()
  using pod = await exitedPod(place)
  const volume = join(pod.dir, 'sharedVolumes/v')
  mkdirSync(volume)
  for (const name of [Buffer.from([0xff, 0xfe]), Buffer.from('\n'), Buffer.from('-rf'), Buffer.from('..x'), Buffer.from('.removing-0')]) {
    closeSync(openSync(Buffer.concat([Buffer.from(`${volume}/`), name]), 'w'))
    mkdirSync(Buffer.concat([Buffer.from(`${volume}/`), name, Buffer.from('d')]), { mode: 0o000 })
  }
  execFileSync('/bin/sh', ['-c', 'cd "$1"; for i in $(seq 1 60); do mkdir -p "$2" && cd -P "$2" && : > f; done', 'sh', volume, 'd'.repeat(200)], { env: { PATH: '/usr/bin:/bin' } })
  const { said } = await collect(place)
  t.deepEqual(said, [`moving pod "${pod.uuid}" to garbage`])
  t.deepEqual(directories(place), [])
})

test('mounts below a pod are taken away before its files', async (t) => {
  using place = makePlace()
  using pod = await exitedPod(place)
  mkdirSync(join(place.dataDir, 'victim'))
  writeFileSync(join(place.dataDir, 'victim/file'), 'x')
  const points = ['sharedVolumes/a b', 'sharedVolumes/a b', 'sharedVolumes/tab\tback\\slash']
  for (const point of points) {
    mkdirSync(join(pod.dir, point), { recursive: true })
    execFileSync('/bin/mount', ['--bind', join(place.dataDir, 'victim'), join(pod.dir, point)])
  }
  writeFileSync(join(pod.dir, 'netns'), '')
  execFileSync('/bin/mount', ['--bind', '/proc/self/ns/net', join(pod.dir, 'netns')])
  const { said } = await collect(place)
  t.deepEqual(said, [`moving pod "${pod.uuid}" to garbage`])
  t.deepEqual(directories(place), [])
  t.deepEqual(mountsBelow(place.dataDir), [])
  t.is(readFileSync(join(place.dataDir, 'victim/file'), 'utf8'), 'x')
})

test('a pod whose teardown fails stays for the next time, and does not keep the others', async (t) => {
  using place = makePlace()
  using bad = await exitedPod(place)
  using good = await exitedPod(place)
  const { said } = await collect(place, {
    teardown: async (dir) => {
      if (dir.endsWith(bad.uuid)) throw new RktError('network-setup', 'cannot release the address')
    },
  })
  t.true(said.includes(`cannot collect pod "${bad.uuid}": cannot release the address`))
  t.false(existsSync(join(place.dataDir, 'pods/exited-garbage', good.uuid)))
  t.deepEqual(directories(place), [`exited-garbage/${bad.uuid}`])
  await collect(place)
  t.deepEqual(directories(place), [])
})

test('a file that cannot be removed is named, everything else goes, and the manifest stays to the end', async (t) => {
  using place = makePlace()
  using pod = await exitedPod(place)
  const stuck = join(pod.dir, 'logs/stuck')
  writeFileSync(stuck, '')
  execFileSync('/usr/bin/chattr', ['+i', stuck])
  const { said } = await collect(place)
  const inGarbage = join(place.dataDir, 'pods/garbage', pod.uuid)
  const left = readdirSync(inGarbage)
  const stuckNow = readdirSync(inGarbage, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('stuck')) ?? ''
  execFileSync('/usr/bin/chattr', ['-i', join(inGarbage, stuckNow)])
  t.regex(said.at(-1) ?? '', /^cannot collect pod ".*": cannot remove ".*\/stuck": EPERM: operation not permitted$/)
  t.deepEqual(left.length, 2)
  t.true(left.includes('pod'))
  await collect(place)
  t.deepEqual(directories(place), [])
})

test('removePod() removes what has ended and says why it refuses the rest', async (t) => {
  using place = makePlace()
  const { log, lines } = recordingLog()
  const remove = async (pod: Pod): Promise<void> => {
    using seen = place.pods.open(pod.uuid)
    if (seen !== undefined) await removePod(seen, { teardown: async () => undefined, log })
  }
  using running = await prepareSample(place)
  await t.throwsAsync(remove(running), { code: 'busy', message: `pod "${running.uuid}" is currently being prepared` })
  running.toRun()
  await t.throwsAsync(remove(running), { code: 'busy', message: `pod "${running.uuid}" is currently running` })
  running.unlock()
  await remove(running)
  using prepared = await prepareSample(place)
  prepared.toPrepared()
  await remove(prepared)
  using aborted = place.pods.create()
  aborted.unlock()
  await remove(aborted)
  using deleting = await exitedPod(place)
  deleting.moveTo('exited-garbage')
  t.true(deleting.lock())
  await t.throwsAsync(remove(deleting), { code: 'busy', message: `pod "${deleting.uuid}" is currently being deleted` })
  t.deepEqual(lines, [`moving expired prepared pod "${prepared.uuid}" to garbage`, `moving failed prepare "${aborted.uuid}" to garbage`])
  t.deepEqual(directories(place), [`exited-garbage/${deleting.uuid}`])
})
