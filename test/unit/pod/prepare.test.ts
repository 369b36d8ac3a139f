import test from 'ava'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { lockFile, RktError } from '../../../src/base/index.ts'
import { loadPreparedPod, readManifest } from '../../../src/pod/index.ts'
import { parseACIdentifier, parseACName, type Volume } from '../../../src/spec/index.ts'
import { appArgs, makePlace, podManifest, prepareSample, recordingLog, sampleImage, treeID } from './fixtures/sample.ts'

const owner = (path: string): readonly [number, number, string] => {
  const { uid, gid, mode } = lstatSync(path)
  return [uid, gid, (mode & 0o7777).toString(8)]
}

test('with overlay, the upper directory has the owner and mode of the top of the tree', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  const { overlay, apps } = loadPreparedPod(pod)
  const [app] = apps
  t.true(overlay)
  t.is(app?.upper, join(pod.dir, 'overlay', treeID, 'upper', 'busybox'))
  t.is(app?.work, join(pod.dir, 'overlay', treeID, 'work', 'busybox'))
  t.is(app?.roots[0], join(place.dataDir, 'cas', 'tree', treeID, 'rootfs'))
  t.deepEqual(owner(app?.upper ?? ''), [7, 8, '1751'])
  t.true(lstatSync(app?.work ?? '').isDirectory())
})

test('without overlay, the app has its own copy of the tree', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place, { overlay: false })
  const { overlay, apps } = loadPreparedPod(pod)
  t.false(overlay)
  t.is(apps[0]?.roots[0], join(pod.dir, 'stage1/rootfs/opt/stage2/busybox/rootfs'))
  t.is(apps[0]?.upper, undefined)
  t.deepEqual(owner(apps[0]?.roots[0] ?? ''), [7, 8, '1751'])
  t.is(readFileSync(join(apps[0]?.roots[0] ?? '', 'etc/motd'), 'utf8'), 'hello\n')
  t.is(readFileSync(pod.inside('appsinfo/busybox/treeStoreID'), 'utf8'), treeID)
})

test('directories that hold files of apps are for root alone', async (t) => {
  using place = makePlace()
  for (const overlay of [true, false]) {
    using pod = await prepareSample(place, { overlay })
    for (const path of ['overlay', 'sharedVolumes', 'stage1/rootfs/opt/stage2']) t.is(statSync(pod.inside(path)).mode & 0o777, 0o700, path)
    for (const path of ['', 'stage1', 'logs', 'appsinfo']) t.is(statSync(pod.inside(path)).mode & 0o007, 0, path)
  }
})

test('empty volumes get their mode and owner, in ids of the pod', async (t) => {
  using place = makePlace()
  const scratch: Volume = { name: parseACName('scratch'), kind: 'empty', mode: '1770', uid: 1000, gid: 2000 }
  const apps = ['a', 'b'].map((name) => appArgs({ name: parseACName(name), mounts: [{ volume: scratch.name, path: '/scratch' }] }))
  using pod = await prepareSample(place, { apps, manifest: { volumes: [scratch] }, privateUsers: true })
  t.deepEqual(owner(pod.inside('sharedVolumes/scratch')), [1000, 2000, '1770'])
})

test('a mount point without a volume gets a directory, and the user is told', async (t) => {
  using place = makePlace()
  const { log, lines } = recordingLog()
  const image = sampleImage({ mountPoints: [{ name: 'data', path: '/data' }] })
  using pod = await prepareSample(place, { apps: [appArgs({ image })], log })
  t.deepEqual(owner(pod.inside('sharedVolumes/busybox-data')), [0, 0, '755'])
  t.regex(lines.join('\n'), /no volume specified for mount point "data"/)
})

test('a volume of an image that was converted from Docker begins with what the image holds there', async (t) => {
  using place = makePlace()
  const rootfs = join(place.dataDir, 'cas/tree', treeID, 'rootfs')
  mkdirSync(join(rootfs, 'srv/data'), { recursive: true })
  chmodSync(join(rootfs, 'srv/data'), 0o2770)
  writeFileSync(join(rootfs, 'srv/data/seed'), 'x')
  symlinkSync('/../../srv/data', join(rootfs, 'data'))
  symlinkSync('loop', join(rootfs, 'loop'))
  const points = ['/data', '/loop', '/missing', '/../../../etc'].map((path, index) => ({ name: `v${index}`, path }))
  const { record, manifest } = sampleImage({ mountPoints: points })
  const annotations = [{ name: parseACIdentifier('appc.io/docker/repository'), value: 'library/x' }]
  for (const converted of [true, false]) {
    const image = { record, manifest: { ...manifest, annotations: converted ? annotations : [] } }
    using pod = await prepareSample(place, { apps: [appArgs({ image })] })
    const content = [0, 1, 2, 3].map((index) => readdirSync(pod.inside(`sharedVolumes/busybox-v${index}`)).join(' '))
    t.deepEqual(content, converted ? ['seed', '', '', 'motd'] : ['', '', '', ''])
    // Owner and mode come from the directory that is covered in any case; where there is none, they are root's and 0755.
    t.deepEqual(owner(pod.inside('sharedVolumes/busybox-v0')), [0, 0, '2770'])
    t.deepEqual(owner(pod.inside('sharedVolumes/busybox-v2')), [0, 0, '755'])
  }
})

test('what was prepared is read back as it was', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place, { apps: [appArgs({ args: ['x'] }), appArgs({ name: parseACName('second') })], privateUsers: true })
  pod.toRun()
  const prepared = loadPreparedPod(pod)
  t.is(prepared.dir, join(place.dataDir, 'pods', 'run', pod.uuid))
  t.deepEqual(prepared.apps.map(({ name, app }) => [name, app.exec.join(' ')] as readonly string[]), [['busybox', '/bin/true x'], ['second', '/bin/true']])
  t.deepEqual(prepared.manifest, podManifest([appArgs({ args: ['x'] }), appArgs({ name: parseACName('second') })]))
  t.deepEqual(prepared.apps[0]?.imageManifest, sampleImage().manifest)
  t.is(prepared.idRange?.count, 65_536)
  t.true(existsSync(pod.inside('stage1/rootfs/rkt/status')))
})

test('an app without a section in the pod manifest runs what its image says', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  const { apps, ...manifest } = JSON.parse(readFileSync(pod.inside('pod'), 'utf8'))
  for (const app of apps) delete app.app
  writeFileSync(pod.inside('pod'), JSON.stringify({ ...manifest, apps }))
  t.deepEqual(loadPreparedPod(pod).apps[0]?.app.exec, ['/bin/true'])
})

test('a manifest that would not read back is not written', async (t) => {
  using place = makePlace()
  const bad = appArgs({ workingDirectory: 'relative' })
  const error = await t.throwsAsync(prepareSample(place, { apps: [bad] }), { code: 'invalid-manifest' })
  t.regex(error.message, /workingDirectory/)
  const [pod] = place.pods.list()
  t.false(existsSync(pod?.inside('pod') ?? ''))
})

test('a pod whose preparation is damaged is told to be unprepared', async (t) => {
  using place = makePlace()
  const damages: readonly ((inside: (path: string) => string) => void)[] = [
    (inside) => rmSync(inside('pod')),
    (inside) => truncateSync(inside('pod'), 10),
    (inside) => rmSync(inside('appsinfo'), { recursive: true }),
    (inside) => writeFileSync(inside('appsinfo/busybox/treeStoreID'), '../../../etc'),
    (inside) => writeFileSync(inside('private-users-prepared'), '0:4294967295'),
  ]
  for (const damage of damages) {
    using pod = await prepareSample(place, { privateUsers: true })
    damage((path) => pod.inside(path))
    const error = t.throws(() => loadPreparedPod(pod), { code: 'unprepared' })
    t.regex(error.message, /^cannot use pod "[-0-9a-f]{36}": its preparation is not complete: /)
  }
})

test('a preparation waits for a collection of the store, until it is interrupted', async (t) => {
  using place = makePlace()
  const path = join(place.dataDir, 'locks', 'prepareLock')
  const collection = lockFile(path, { mode: 'exclusive', wait: 'block' })
  const interrupt = new AbortController()
  const [interrupted, waiting] = [prepareSample(place, { signal: interrupt.signal }), prepareSample(place)]
  await delay(100)
  interrupt.abort(new RktError('cancelled', 'interrupted'))
  await t.throwsAsync(interrupted, { code: 'cancelled' })
  t.is(await Promise.race([waiting, delay(100, 'still waiting')]), 'still waiting')
  collection?.[Symbol.dispose]()
  using pod = await waiting
  t.is(loadPreparedPod(pod).apps.length, 1)
  using after = lockFile(path, { mode: 'exclusive', wait: 'try' })
  t.not(after, undefined)
})

test('the file system’s refusal is told with the pod’s name', async (t) => {
  using place = makePlace()
  rmSync(join(place.dataDir, 'cas'), { recursive: true })
  await t.throwsAsync(prepareSample(place), { code: 'io', message: /^cannot prepare pod "[-0-9a-f]{36}": ENOENT: no such file or directory$/ })
  t.throws(() => readManifest(place.pods.list()[0] ?? t.fail()), { code: 'ENOENT' })
})
