import test from 'ava'
import { type CgroupFacts, findHierarchies } from '../../../src/stage1/cgroups.ts'
import { planCgroups } from '../../../src/stage1/ns/cgroup-plan.ts'
import { makeIsolator } from '../../../src/spec/index.ts'

test('findHierarchies() pairs version 1 mounts with the group of the caller', (t) => {
  const mountinfo = [
    '31 30 0:26 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids',
    '32 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct',
    '33 30 0:28 /outer /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
    '34 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    '35 30 0:30 / /mnt/with\\040blank rw - cgroup cgroup rw,name=systemd',
  ].join('\n')
  const self = '5:name=systemd:/s\n4:pids:/a/b\n3:cpu,cpuacct:/\n2:memory:/outer/inner\n0::/u\n'
  t.deepEqual(findHierarchies(mountinfo, self), [
    { controllers: ['pids'], mountPoint: '/sys/fs/cgroup/pids', ownGroup: '/a/b' },
    { controllers: ['cpu', 'cpuacct'], mountPoint: '/sys/fs/cgroup/cpu,cpuacct', ownGroup: '/' },
    { controllers: ['memory'], mountPoint: '/sys/fs/cgroup/memory', ownGroup: '/inner' },
    { controllers: [], mountPoint: '/sys/fs/cgroup/unified', ownGroup: '/u' },
    { controllers: ['name=systemd'], mountPoint: '/mnt/with blank', ownGroup: '/s' },
  ])
})

const version1: CgroupFacts = {
  kind: 'v1',
  controllers: [],
  delegated: [],
  available: [],
  ownsGroup: false,
  hierarchies: [
    { controllers: ['pids'], mountPoint: '/cg/pids', ownGroup: '/unit' },
    { controllers: ['memory'], mountPoint: '/cg/memory', ownGroup: '/' },
    { controllers: ['devices'], mountPoint: '/cg/devices', ownGroup: '/' },
  ],
}

const version2: CgroupFacts = {
  kind: 'v2',
  controllers: ['cpu', 'memory', 'pids'],
  delegated: [],
  available: [],
  ownsGroup: false,
  hierarchies: [{ controllers: [], mountPoint: '/cg', ownGroup: '/user.slice/session-1.scope' }],
}

const plain = { uuid: 'u', isolators: [], disks: [] }
const memory = makeIsolator('resource/memory', { limit: '64Mi' })

test('planCgroups() keeps a version 1 pod below the group of the caller and limits its tasks', (t) => {
  const plan = planCgroups(version1, { ...plain, apps: [{ name: 'a', isolators: [] }] })
  t.deepEqual(plan.pod, [{ op: 'cgroup', path: '/cg/pids/unit/rkt-u', join: 1 }])
  t.deepEqual(plan.app('a'), [
    { op: 'app-cgroup', path: '/cg/pids/unit/rkt-u/app-a' },
    { op: 'cgroup-set', file: '/cg/pids/unit/rkt-u/app-a/pids.max', value: '2048' },
  ])
  t.deepEqual(plan.end, [{ op: 'end-cgroup', path: '/cg/pids/unit/rkt-u' }])
  t.is(plan.subcgroup, 'unit/rkt-u')
})

test('planCgroups() closes devices where the pod could make nodes', (t) => {
  const plan = planCgroups(version1, { ...plain, apps: [{ name: 'a', isolators: [] }], devices: ['c 1:3 rwm'] })
  const policy = plan.pod.find(({ op }) => op === 'device-policy')
  t.true(policy?.op === 'device-policy' && policy.path === '/cg/devices/rkt-u' && policy.rules.includes('c 1:3 rwm') && !policy.rules.some((rule) => rule.startsWith('a')))
  t.true(plan.end.some((operation) => operation.op === 'end-cgroup' && operation.path === '/cg/devices/rkt-u'))
})

test('planCgroups() goes to the root of version 2 when nothing was delegated, and keeps init out of the inner groups', (t) => {
  const plan = planCgroups(version2, { ...plain, apps: [{ name: 'a', isolators: [memory] }] })
  t.deepEqual(plan.pod, [
    { op: 'cgroup-set', file: '/cg/cgroup.subtree_control', value: '+pids +memory' },
    { op: 'cgroup', path: '/cg/rkt-u', join: 0 },
    { op: 'cgroup-set', file: '/cg/rkt-u/cgroup.subtree_control', value: '+pids +memory' },
    { op: 'cgroup', path: '/cg/rkt-u/init', join: 1 },
  ])
  t.true(plan.app('a').some((operation) => operation.op === 'cgroup-set' && operation.file === '/cg/rkt-u/app-a/memory.max' && operation.value === '67108864'))
})

test('planCgroups() stays below a delegated version 2 group', (t) => {
  const delegated = { ...version2, delegated: ['pids', 'memory'] }
  const plan = planCgroups(delegated, { ...plain, apps: [{ name: 'a', isolators: [] }] })
  t.deepEqual(plan.pod[0], { op: 'cgroup', path: '/cg/user.slice/session-1.scope/rkt-u', join: 0 })
})

test('planCgroups() refuses a limit for which the host has no controller', (t) => {
  const cpu = makeIsolator('resource/cpu', { limit: '500m' })
  t.throws(() => planCgroups(version1, { ...plain, apps: [{ name: 'a', isolators: [cpu] }] }), {
    code: 'unsupported-host',
    message: 'cannot limit the pod: this host has no cpu controller for control groups',
  })
})

test('planCgroups() limits every disk, in the files of each version', (t) => {
  const isolators = [makeIsolator('resource/block-bandwidth', { default: true, limit: '1M' }), makeIsolator('resource/block-iops', { default: true, limit: 500 })]
  const options = { ...plain, apps: [{ name: 'a', isolators }], disks: ['8:0', '254:0'] }
  const values = (facts: CgroupFacts): readonly string[] =>
    planCgroups(facts, options).app('a').flatMap((operation) => (operation.op === 'cgroup-set' ? [`${operation.file.split('/').at(-1)} ${operation.value}`] : []))
  const blkio = { ...version1, hierarchies: [...version1.hierarchies, { controllers: ['blkio'], mountPoint: '/cg/blkio', ownGroup: '/' }] }
  const throttle = (file: string, value: number): readonly string[] => ['8:0', '254:0'].map((disk) => `blkio.throttle.${file}_device ${disk} ${value}`)
  t.deepEqual(values(blkio), ['pids.max 2048', ...throttle('read_bps', 1_000_000), ...throttle('write_bps', 1_000_000), ...throttle('read_iops', 500), ...throttle('write_iops', 500)])
  t.deepEqual(values({ ...version2, controllers: ['io', 'pids'] }), ['pids.max 2048', ...['8:0', '254:0'].map((disk) => `io.max ${disk} rbps=1000000 wbps=1000000 riops=500 wiops=500`)])
})

test('planCgroups() bounds all apps together by the isolators of the pod', (t) => {
  const plan = planCgroups(version1, { ...plain, apps: [{ name: 'a', isolators: [] }], isolators: [memory] })
  t.true(plan.pod.some((operation) => operation.op === 'cgroup-set' && operation.file === '/cg/memory/rkt-u/memory.limit_in_bytes'))
  t.true(plan.app('a').some((operation) => operation.op === 'oom-events' && operation.file === '/cg/memory/rkt-u/app-a/memory.oom_control'))
})

test('planCgroups() moves the launcher aside in a group that was delegated to it alone', (t) => {
  const owned = { ...version2, available: ['memory', 'pids'], ownsGroup: true }
  const group = '/cg/user.slice/session-1.scope'
  t.deepEqual(planCgroups(owned, { ...plain, apps: [{ name: 'a', isolators: [] }] }).pod.slice(0, 3), [
    { op: 'cgroup', path: `${group}/rkt-launcher`, join: 2 },
    { op: 'cgroup-set', file: `${group}/cgroup.subtree_control`, value: '+pids' },
    { op: 'cgroup', path: `${group}/rkt-u`, join: 0 },
  ])
  // A controller that the group was not given is the root's to hand out.
  const cpu = makeIsolator('resource/cpu', { limit: '500m' })
  t.deepEqual(planCgroups(owned, { ...plain, apps: [{ name: 'a', isolators: [cpu] }] }).subcgroup, 'rkt-u')
})
