import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openPodScene } from '../support/pod-scene.ts'
import { libraryFile } from '../../src/base/index.ts'
import { type FieldValue, type PlanOperation, type PlanSection, readPlan, writePlan } from '../support/plan-file.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a pod once and gives its directory, whose plan can be run again and again. */
async function makePod(name: string, flags: readonly string[]): Promise<string> {
  const isolators = [
    { name: 'resource/memory', value: { limit: '100M' } },
    { name: 'resource/cpu', value: { limit: '2' } },
    { name: 'os/linux/oom-score-adj', value: 100 },
    { name: 'os/linux/no-new-privileges', value: true },
    { name: 'os/unix/sysctl', value: { 'net.ipv4.ip_forward': '1' } },
  ]
  const app = { exec: ['/bin/busybox', 'echo', 'started'], user: '1000', group: '1000', isolators, eventHandlers: [{ name: 'pre-start', exec: ['/bin/true'] }] }
  const apps = [{ name: 'app', image: { id: scene.image }, app, readOnlyRootFS: true, mounts: [{ volume: 'v', path: '/data' }] }]
  const file = scene.place.in(name)
  writeFileSync(`${file}.json`, JSON.stringify({ acVersion: '0.8.11', acKind: 'PodManifest', apps, volumes: [{ name: 'v', kind: 'empty' }] }))
  const { stdout, stderr } = await scene.rkt(['run', '--net=none', `--uuid-file-save=${file}`, ...flags, `--pod-manifest=${file}.json`])
  if (stdout !== 'started\n') throw new Error(stderr)
  return join(scene.dir, 'pods/run', readFileSync(file, 'utf8'))
}

function launch(pod: string, { plan = join(pod, 'plan'), before = [] }: { readonly plan?: string; readonly before?: readonly string[] } = {}): Ran {
  const fds = [openSync(plan, 'r'), openSync(pod, 'r')]
  try {
    const [program = '', ...words] = [...before, libraryFile('launcher'), 'run', '3', '4', '-1']
    const { status, stdout, stderr } = spawnSync(program, words, { stdio: ['ignore', 'pipe', 'pipe', ...fds], encoding: 'utf8', timeout: 20_000, env: {} })
    return { status, stdout, stderr }
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}

const failed = ({ status, stdout, stderr }: Ran): boolean => status === 254 && stdout === '' && /^stage1: cannot [^\n]*\n$/.test(stderr)

/** What sets nothing apart: names, times, and where logs and news of the app go. */
const inert: readonly string[] = ['log', 'stop-signal', 'notify-socket', 'uuid', 'app', 'stop-timeout', 'prefix-output', 'environment', 'stdio', 'root-read-only', 'no-new-privileges', 'capabilities', 'oom-events']

const nowhere = '/no/such/place'
const behindFile = 'bin/busybox/x'
/** Values that make a step impossible, by operation: the fields that are replaced. */
const impossible: Readonly<Record<string, Readonly<Record<string, FieldValue>>>> = {
  idmap: { count: 0 },
  namespaces: { flags: 0x1001_0000 },
  hostname: { hostname: 'x'.repeat(100) },
  cgroup: { path: nowhere },
  'cgroup-set': { file: nowhere },
  'device-policy': { path: nowhere },
  sysctl: { path: 'net/no_such_setting' },
  'root-overlay': { layers: [nowhere] },
  'root-bind': { path: nowhere },
  volume: { source: nowhere },
  proc: { target: behindFile },
  sysfs: { target: behindFile },
  tmpfs: { target: behindFile },
  dev: { target: behindFile },
  'dev-node': { name: 'no/such' },
  'dev-link': { name: 'no/such' },
  devpts: { target: behindFile },
  mqueue: { target: behindFile },
  cgroupfs: { target: behindFile },
  mkdir: { path: behindFile },
  symlink: { path: behindFile },
  mask: { path: 'proc/self/fd' },
  'read-only': { path: 'proc/self/fd' },
  handler: { argv: [nowhere] },
  user: { uid: 0xffff_ffff },
  seccomp: { filter: Buffer.alloc(7) },
  'oom-score': { score: 5000 },
  landlock: { writable: [nowhere] },
  'working-directory': { path: nowhere },
  exec: { argv: [nowhere] },
  'app-cgroup': { path: nowhere },
}

/** The plan with one operation changed. */
function changed(sections: readonly PlanSection[], target: PlanOperation, change: (operation: PlanOperation) => PlanOperation): Buffer {
  return writePlan(sections.map((section) => ({ ...section, operations: section.operations.map((operation) => (operation === target ? change(operation) : operation)) })))
}

for (const [title, flags] of [['of its own ids', []], ['with the ids of the host', ['--private-users=false']]] as const) {
  test(`C18: every operation of the plan of a pod ${title} ends the start when it is impossible, or unknown`, async (t) => {
    const pod = await makePod(`operations-${flags.length}`, flags)
    const file = join(pod, 'plan.changed')
    const sections = readPlan(readFileSync(join(pod, 'plan')))
    t.deepEqual(writePlan(sections), readFileSync(join(pod, 'plan')))
    const met = new Set<string>()
    for (const operation of sections.filter(({ kind }) => kind <= 2).flatMap((section) => section.operations)) {
      met.add(operation.name)
      const value = impossible[operation.name]
      t.true(value !== undefined || inert.includes(operation.name), `operation ${operation.name} has a way to fail here`)
      const below = operation.name === 'mkdir' && String(operation.fields['path']).startsWith('dev/')
      if (value !== undefined) {
        writeFileSync(file, changed(sections, operation, (one) => ({ ...one, fields: { ...one.fields, ...(below ? { path: 'dev/no/such' } : value) } })))
        const ran = launch(pod, { plan: file })
        t.true(failed(ran), `${operation.name} ${JSON.stringify(Object.values(operation.fields)[0]?.toString())}: ${JSON.stringify(ran)}`)
      }
      writeFileSync(file, changed(sections, operation, (one) => ({ ...one, code: 999 })))
      t.regex(launch(pod, { plan: file }).stderr, /^stage1: cannot read launch plan "unknown operation"/)
    }
    t.true(met.size > 30)
    t.is(launch(pod).stdout, 'started\n', 'the twin: the plan as it was')
  })
}

/** System calls that keep an app apart, or without which something else would be kept apart. */
const calls = [
  'capget', 'capset', 'chdir', 'chroot', 'clone', 'close_range', 'dup2', 'fchdir', 'fchown', 'fchownat', 'fsconfig', 'fsmount', 'fsopen', 'getcwd', 'ioctl', 'keyctl',
  'landlock_add_rule', 'landlock_create_ruleset', 'landlock_restrict_self', 'mknodat', 'mount', 'mount_setattr', 'move_mount', 'open_tree', 'openat2', 'pipe2',
  'pivot_root', 'prctl', 'seccomp', 'setgroups', 'sethostname', 'setns', 'setresgid', 'setresuid', 'setsid', 'symlinkat', 'umount2', 'unshare',
]

/** Calls that set nothing apart, as strace shows them: the directory /tmp when it is there anyway, what the app itself asks, news of the pod. */
const harmless = /openat2\(\d+, "tmp"|PR_GET_NAME|"stage1\/rootfs\/rkt\/|"logs/

test('C18: every system call of a start that sets something apart ends the start when it is refused, each time that it is made', async (t) => {
  const pod = await makePod('calls', [])
  const log = scene.place.in('calls.log')
  const traced = (words: readonly string[]): Ran => launch(pod, { before: ['/usr/bin/strace', '-f', '-qq', '-o', log, ...words] })
  t.is(traced(['-e', `trace=${calls.join(',')}`]).stdout, 'started\n')
  // Each process counts for itself, so the n-th call is refused to whoever comes to it first.
  const counts = new Map<string, Map<string, number>>()
  for (const [, pid = '', call = ''] of readFileSync(log, 'utf8').matchAll(/^(\d+) +(\w+)\(/gm)) {
    const perProcess = counts.get(call) ?? new Map<string, number>()
    counts.set(call, perProcess.set(pid, (perProcess.get(pid) ?? 0) + 1))
  }
  t.deepEqual([...counts.keys()].toSorted(), calls)
  for (const [call, perProcess] of counts) {
    for (let time = 1; time <= Math.max(...perProcess.values()); time++) {
      const ran = traced(['-e', `trace=${call}`, '-e', `inject=${call}:error=EPERM:when=${time}`])
      const injected = readFileSync(log, 'utf8').split('\n').filter((line) => line.includes('INJECTED'))
      t.true(failed(ran) || injected.every((line) => harmless.test(line)), `${call} ${time}: ${JSON.stringify(ran)} ${injected.join('\n')}`)
    }
  }
})
