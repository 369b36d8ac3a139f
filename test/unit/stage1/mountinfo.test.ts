import test from 'ava'
import type { ResolvedMount } from '../../../src/pod/index.ts'
import { parseACName } from '../../../src/spec/index.ts'
import { mountOf, mountsUnder, parseMountinfo } from '../../../src/stage1/mountinfo.ts'
import { planVolumes } from '../../../src/stage1/ns/volume-plan.ts'

const mounts = parseMountinfo(
  ['20 1 8:1 / / rw - ext4 /dev/sda rw', '21 20 8:2 / /srv rw - ext4 /dev/sdb rw', '22 21 0:9 / /srv/tmp rw - tmpfs none rw', '23 20 0:5 / /proc rw - proc proc rw', '24 21 0:9 / /srv/o\\040p rw - overlay none rw'].join('\n'),
)

test('mountOf() gives the mount that holds a path', (t) => {
  t.is(mountOf(mounts, '/srv/tmp/x')?.type, 'tmpfs')
  t.is(mountOf(mounts, '/srvx')?.mountPoint, '/')
})

test('mountsUnder() lists what lies strictly below, with its escapes undone', (t) => {
  t.deepEqual(mountsUnder(mounts, '/srv').map(({ mountPoint }) => mountPoint), ['/srv/o p', '/srv/tmp'])
})

const host = (path: string, more: Partial<ResolvedMount> = {}): ResolvedMount => ({
  volume: parseACName('v'),
  target: '/data',
  readOnly: false,
  source: { kind: 'host', path, recursive: undefined },
  ...more,
})

const options = { podDir: '/pod', mapped: true, mounts, unmappable: new Set(['/srv/o p']), resolveSource: (path: string) => ({ path }) }

test('planVolumes() mounts what lies below a recursive source one by one, read-only like it', (t) => {
  const readOnly = { ...options, mounts: mounts.filter(({ type }) => type !== 'overlay') }
  t.deepEqual(planVolumes([host('/srv', { readOnly: true })], readOnly).operations, [
    { op: 'volume', source: '/srv', target: '/data', flags: 7 },
    { op: 'volume', source: '/srv/tmp', target: '/data/tmp', flags: 7 },
  ])
})

test('planVolumes() refuses a writable source whose owners cannot be mapped, and warns of a read-only one', (t) => {
  t.throws(() => planVolumes([host('/srv')], options), { code: 'unsupported-host', message: /"\/srv\/o p" writable: owners on a file system of type overlay/ })
  const { operations, warnings } = planVolumes([host('/srv', { readOnly: true })], options)
  t.true(operations.some((operation) => operation.op === 'volume' && operation.source === '/srv/o p' && operation.flags === 5))
  t.is(warnings.length, 1)
})

test('planVolumes() refuses the places of the system', (t) => {
  for (const target of ['/', '/proc', '/proc/self/attr', '/dev/pts', '/x/../proc']) {
    t.throws(() => planVolumes([host('/srv/tmp', { target })], options), { code: 'invalid-manifest', message: /belongs to the system/ })
  }
})

test('planVolumes() leaves owners alone without a user namespace', (t) => {
  t.deepEqual(planVolumes([host('/srv/tmp')], { ...options, mapped: false }).operations, [{ op: 'volume', source: '/srv/tmp', target: '/data', flags: 4 }])
})

test('planVolumes() mounts parents before what lies in them', (t) => {
  const planned = planVolumes([host('/srv/tmp', { target: '/a/b/c' }), host('/srv/tmp', { target: '/a' })], options)
  t.deepEqual(planned.operations.map((operation) => operation.op === 'volume' && operation.target), ['/a', '/a/b/c'])
})

test('planVolumes() makes propagation flags of what the volume says, and refuses what would open the host', (t) => {
  const travelling = (propagation: 'slave' | 'shared', more: Partial<ResolvedMount> = {}): ResolvedMount => host('/srv/tmp', { source: { kind: 'host', path: '/srv/tmp', recursive: undefined, propagation }, ...more })
  const flags = (mount: ResolvedMount, mapped: boolean): unknown => planVolumes([mount], { ...options, mapped }).operations.map((operation) => operation.op === 'volume' && operation.flags)
  t.deepEqual(flags(travelling('slave'), true), [4 | 2 | 64])
  t.deepEqual(flags(travelling('shared'), false), [4 | 128])
  t.throws(() => flags(travelling('shared'), true), { code: 'invalid-manifest', message: /a pod with a user namespace of its own mounts nothing on the host/ })
  t.throws(() => flags(travelling('slave', { readOnly: true }), false), { code: 'invalid-manifest', message: /mounts that are made later would be writable/ })
})

test('planVolumes() refuses a read-only device where no policy can hold it', (t) => {
  const resolveSource = (path: string): { path: string; device: { type: 'c'; major: number; minor: number } } => ({ path, device: { type: 'c', major: 10, minor: 229 } })
  const device = host('/dev/fuse', { readOnly: true })
  t.throws(() => planVolumes([device], { ...options, resolveSource, rootless: true }), { code: 'unsupported-host', message: /an ordinary user has no device policy/ })
  t.is(planVolumes([device], { ...options, resolveSource }).operations.length, 1)
})
