import test from 'ava'
import { type IsolatorOf, makeIsolator, parseACIdentifier } from '../../../src/spec/index.ts'
import type { CgroupFacts } from '../../../src/stage1/cgroups.ts'
import { enforceable, podIsolators } from '../../../src/stage1/ns/enforceable.ts'
import { planSysctls, sysctlObstacle } from '../../../src/stage1/ns/sysctl-plan.ts'

const own = { network: true, ipc: true, user: true }
const none = { selinux: false, apparmor: false, usesProfiles: false }
const cgroups: CgroupFacts = { kind: 'v2', hierarchies: [], controllers: ['memory', 'pids'], delegated: [], available: [], ownsGroup: false }
const options = { host: { cgroups, security: none }, own, who: 'app "a"' }

const context = makeIsolator('os/linux/selinux-context', { user: 'u', role: 'r', type: 't', level: 's0' })
const profile = makeIsolator('os/linux/apparmor-profile', { profile: 'p' })
const cpu = makeIsolator('resource/cpu', { limit: '1' })
const memory = makeIsolator('resource/memory', { limit: '1M' })

test('enforceable() keeps what this host can do', (t) => {
  const security = { selinux: true, apparmor: true, usesProfiles: true }
  t.deepEqual(enforceable([context, profile, memory], { ...options, host: { cgroups, security } }), { isolators: [context, profile, memory], warnings: [] })
  // A request is no limit: it needs no controller.
  t.is(enforceable([makeIsolator('resource/cpu', { request: '1' })], options).isolators.length, 1)
})

test('enforceable() refuses what it cannot do, naming who asks and why', (t) => {
  for (const [isolator, obstacle] of [[context, /SELinux is not on/], [profile, /AppArmor is not on/], [cpu, /no cpu controller/], [makeIsolator('resource/network-bandwidth', { default: true, limit: '1M' }), /bandwidth of networks/]] as const) {
    t.throws(() => enforceable([isolator], options), { code: 'unsupported-host', message: new RegExp(`^cannot enforce isolator "${isolator.name}" of app "a": .*${obstacle.source}`) })
  }
})

test('enforceable() leaves what is optional or unknown, and tells', (t) => {
  const unknown = makeIsolator('example.com/x', {})
  const { isolators, warnings } = enforceable([{ ...cpu, optional: true }, unknown, memory], options)
  t.deepEqual(isolators, [memory])
  t.deepEqual(warnings.map((line) => line.split(' of ')[0]), ['warning: isolator "resource/cpu"', 'warning: isolator "example.com/x"'])
})

test('podIsolators() takes limits, and refuses what holds for programs', (t) => {
  t.deepEqual(podIsolators([memory], options).isolators, [memory])
  t.throws(() => podIsolators([profile], options), { message: /of the pod: it holds for programs/ })
  t.is(podIsolators([{ ...profile, optional: true }], options).warnings.length, 1)
})

test('sysctlObstacle() lets settings of the pod\'s own namespaces through, by every way to write their names', (t) => {
  for (const name of ['net.ipv4.ip_forward', 'net/ipv4/ip_forward', 'net.ipv4.conf.eth0/100.arp_ignore', 'fs.mqueue.msg_max', 'kernel.shmmax', 'kernel.sem', 'kernel.msg_next_id', 'kernel.domainname', 'user.max_user_namespaces']) {
    t.is(sysctlObstacle(name, own), undefined, name)
  }
  for (const name of ['kernel.core_pattern', 'vm.swappiness', 'kernel.hostname', 'fs.file-max', 'net', '', 'net..x', 'net/../kernel/core_pattern', '../kernel/core_pattern', 'net.ipv4.\0x', 'net.ipv4. x', 'kernel.shmmax.x', 'user.max_user_namespaces/x']) {
    t.truthy(sysctlObstacle(name, own), name)
  }
  t.regex(sysctlObstacle('net.core.somaxconn', { ...own, network: false }) ?? '', /no network namespace of its own/)
})

test('planSysctls() merges what apps agree on and refuses what they do not', (t) => {
  const sysctl = (settings: Readonly<Record<string, string>>): IsolatorOf<'sysctl'> => ({ kind: 'sysctl', name: parseACIdentifier('os/unix/sysctl'), value: settings, settings })
  t.deepEqual(planSysctls([sysctl({ 'net.ipv4.conf.eth0/100.arp_ignore': '1' }), sysctl({ 'net/ipv4/conf/eth0.100/arp_ignore': '1' })]), [
    { op: 'sysctl', path: 'net/ipv4/conf/eth0.100/arp_ignore', value: '1' },
  ])
  t.throws(() => planSysctls([sysctl({ 'net.x': '1' }), sysctl({ 'net/x': '2' })]), { code: 'invalid-manifest', message: /apps of one pod want "1" and "2"/ })
})
