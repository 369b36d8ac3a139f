import test from 'ava'
import { join } from 'node:path'
import { requireHostSources, type ResolvedMounts, resolveMounts } from '../../../src/pod/index.ts'
import { parsePodManifest } from '../../../src/spec/index.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { imageID } from './fixtures/sample.ts'

interface Case {
  readonly mounts?: unknown
  readonly mountPoints?: unknown
  readonly volumes?: unknown
}

function resolve({ mounts = [], mountPoints = [], volumes = [] }: Case): ResolvedMounts {
  const manifest = parsePodManifest({
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [{ name: 'web', image: { id: imageID }, app: { exec: [], user: '0', group: '0', mountPoints }, mounts }],
    volumes,
  })
  const [runtime] = manifest.apps
  if (runtime?.app === undefined) throw new Error('no app')
  return resolveMounts({ name: runtime.name, runtime, app: runtime.app }, manifest.volumes)
}

const hostVolume = { name: 'data', kind: 'host', source: '/srv/data' }

test('a mount point without a mount takes the volume of its name', (t) => {
  t.deepEqual(resolve({ mountPoints: [{ name: 'data', path: '/data' }], volumes: [hostVolume] }), {
    mounts: [{ volume: 'data', target: '/data', readOnly: false, source: { kind: 'host', path: '/srv/data', recursive: undefined } }],
    warnings: [],
  } as unknown)
})

test('a mount of the pod manifest covers the mount point at its path', (t) => {
  const { mounts, warnings } = resolve({ mounts: [{ volume: 'data', path: '/db' }], mountPoints: [{ name: 'other', path: '/db/' }], volumes: [hostVolume] })
  t.deepEqual(mounts.map(({ volume, target }) => `${volume} ${target}`), ['data /db'])
  t.deepEqual(warnings, [])
})

test('a mount point without any volume gets an empty one of its own, with a warning', (t) => {
  const { mounts, warnings } = resolve({ mountPoints: [{ name: 'cache', path: '/cache', readOnly: true }] })
  t.deepEqual(mounts, [{ volume: 'web-cache', target: '/cache', readOnly: true, source: { kind: 'empty', path: 'sharedVolumes/web-cache', owner: undefined } }] as unknown)
  t.regex(warnings[0] ?? '', /no volume specified for mount point "cache", implicitly creating an "empty" volume/)
})

test('read-only comes from the volume if it says so, else from the mount point', (t) => {
  const readOnly = (volume: object, point: object): boolean | undefined =>
    resolve({ mountPoints: [{ name: 'data', path: '/data', ...point }], volumes: [{ ...hostVolume, ...volume }] }).mounts[0]?.readOnly
  t.false(readOnly({}, {}))
  t.true(readOnly({}, { readOnly: true }))
  t.true(readOnly({ readOnly: true }, {}))
  t.false(readOnly({ readOnly: false }, { readOnly: true }))
})

test('a volume that belongs to one app comes with its mount', (t) => {
  const { mounts } = resolve({ mounts: [{ volume: 'own', path: '/own', appVolume: { name: 'own', kind: 'empty', mode: '1777', uid: 5, gid: 6 } }] })
  t.deepEqual(mounts[0]?.source, { kind: 'empty', path: 'sharedVolumes/own', owner: { mode: 0o1777, uid: 5, gid: 6 } })
})

test('a mount of an unknown volume is refused', (t) => {
  t.throws(() => resolve({ mounts: [{ volume: 'gone', path: '/x' }] }), { message: 'could not find volume gone' })
})

test('requireHostSources() gives a missing source the exit status of the original', (t) => {
  using directory = temporaryDirectory()
  const at = (source: string): ResolvedMounts => resolve({ mounts: [{ volume: 'data', path: '/x' }], volumes: [{ ...hostVolume, source }] })
  t.notThrows(() => requireHostSources(at(directory.path).mounts))
  const missing = join(directory.path, 'missing\u001b[2J')
  const error = t.throws(() => requireHostSources(at(missing).mounts), { code: 'missing-volume' })
  t.is(error.message, `Failed to stat ${directory.path}/missing\\u{1b}[2J: No such file or directory`)
  t.like(error, { exitStatus: 1 })
})
