import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { openPodScene, type PodResult, shellWords } from '../support/pod-scene.ts'
import { probe } from '../support/paths.ts'

const scene = await openPodScene({ files: { 'bin/print-status': { copy: probe('print-status') }, 'bin/without': { copy: probe('without') } } })
test.after.always(() => scene[Symbol.dispose]())

let pods = 0
/** A pod of one app that is a line of shell, with isolators of the app and of the pod, as a manifest has them. */
async function isolated(line: string, isolators: readonly unknown[], { flags = [], ofPod = [] }: { readonly flags?: readonly string[]; readonly ofPod?: readonly unknown[] } = {}): Promise<PodResult> {
  const place = scene.place.in(`pod-${pods++}`)
  const app = { exec: ['/bin/sh', '-c', line], user: '0', group: '0', isolators }
  const manifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'app', image: { id: scene.image }, app }], isolators: ofPod }
  writeFileSync(`${place}.json`, JSON.stringify(manifest))
  const result = await scene.rkt(['run', '--rm', ...(flags.some((flag) => flag.startsWith('--net')) ? [] : ['--net=none']), `--uuid-file-save=${place}.uuid`, ...flags, `--pod-manifest=${place}.json`])
  return { ...result, uuid: '' }
}

const sysctl = (settings: Readonly<Record<string, string>>): unknown => ({ name: 'os/unix/sysctl', value: settings })

test('settings of the pod\'s own namespaces are made', async (t) => {
  const settings = { 'net.ipv4.ip_forward': '1', 'net/ipv4/conf/lo/arp_ignore': '2', 'fs.mqueue.msg_max': '20', 'kernel.domainname': 'pod.example' }
  const { stdout, stderr } = await isolated('cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/lo/arp_ignore /proc/sys/fs/mqueue/msg_max /proc/sys/kernel/domainname', [sysctl(settings)])
  t.is(stdout, '1\n2\n20\npod.example\n', stderr)
})

test('settings of the host are refused, also those of a namespace that the pod shares', async (t) => {
  const core = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  for (const [settings, flags, state] of [
    [{ 'kernel.core_pattern': '|/pwn' }, [], /"kernel.core_pattern" is a setting of the whole host/],
    [{ 'vm.panic_on_oom': '1' }, [], /is a setting of the whole host/],
    [{ 'net.ipv4.ip_forward': '1' }, ['--net=host'], /the pod has no network namespace of its own/],
    [{ 'kernel.sem': '1 2 3 4' }, ['--ipc=parent'], /the pod has no ipc namespace of its own/],
    [{ 'user.max_user_namespaces': '5' }, ['--private-users=false'], /the pod has no user namespace of its own/],
    [{ 'net/../kernel/core_pattern': '|/pwn' }, [], /is not the name of a setting/],
    [{ 'net': '1' }, [], /is not the name of a setting/],
  ] as const) {
    const { code, stdout, stderr } = await isolated('echo started', [sysctl(settings)], { flags })
    t.is(code, 254)
    t.is(stdout, '')
    t.regex(stderr, state)
  }
  t.is(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), core)
})

test('a setting that the kernel refuses ends the start', async (t) => {
  const { code, stderr } = await isolated('echo started', [sysctl({ 'net.ipv4.no_such_setting': '1' })])
  t.is(code, 254)
  t.regex(stderr, /cannot set sysctl "net\/ipv4\/no_such_setting": No such file or directory/)
})

test('what cannot be enforced here is refused, and left out with a warning where the manifest marks it optional', async (t) => {
  const wanted: readonly (readonly [string, unknown])[] = [
    ['os/linux/selinux-context', { user: 'system_u', role: 'system_r', type: 'svirt_lxc_net_t', level: 's0:c1,c2' }],
    ['os/linux/apparmor-profile', { profile: 'no-such-profile' }],
    ['resource/network-bandwidth', { default: true, limit: '1M' }],
    ['os/unix/sysctl', { 'kernel.core_pattern': 'x' }],
  ]
  for (const [name, value] of wanted) {
    const refused = await isolated('echo started', [{ name, value }])
    t.is(refused.code, 254, name)
    t.is(refused.stdout, '')
    t.regex(refused.stderr, /cannot enforce isolator "|cannot set "attr/)
    const left = await isolated('echo started', [{ name, value, optional: true }])
    t.is(left.stdout, 'started\n', left.stderr)
    t.regex(left.stderr, new RegExp(`warning: isolator "${name}" of app "app" is not enforced: `))
  }
  const unknown = await isolated('echo started', [{ name: 'example.com/unknown', value: {} }])
  t.is(unknown.stdout, 'started\n')
  t.regex(unknown.stderr, /isolator "example.com\/unknown" of app "app" is not enforced: unknown/)
})

test('block limits slow every disk down, in the group of the app', async (t) => {
  const disks = execFileSync('/bin/sh', ['-c', 'for d in /sys/block/*; do [ "$(cat $d/size)" = 0 ] || cat $d/dev; done'], { encoding: 'utf8' }).trimEnd().split('\n')
  const files = 'cd /sys/fs/cgroup; cat blkio/blkio.throttle.read_bps_device blkio/blkio.throttle.write_iops_device io.max 2>/dev/null'
  const isolators = [{ name: 'resource/block-bandwidth', value: { default: true, limit: '7M' } }, { name: 'resource/block-iops', value: { default: true, limit: 321 } }]
  const { stdout, stderr } = await isolated(files, isolators)
  for (const disk of disks) t.regex(stdout, new RegExp(`^${disk} (7000000|.*rbps=7000000.*wiops=321)`, 'm'), stderr)
})

test('isolators of the pod bound its apps together; those of programs are refused there', async (t) => {
  const { stdout } = await isolated('head -c 100000000 /dev/zero | tail | wc -c; echo alive', [], { ofPod: [{ name: 'resource/memory', value: { limit: '20M' } }] })
  t.regex(stdout, /alive\n$/)
  t.notRegex(stdout, /^100000000$/m)
  const refused = await isolated('echo started', [], { ofPod: [{ name: 'os/linux/no-new-privileges', value: true }] })
  t.is(refused.code, 254)
  t.regex(refused.stderr, /cannot enforce isolator "os\/linux\/no-new-privileges" of the pod/)
})

test('several isolators of a kind: any true one sets no-new-privileges', async (t) => {
  const flag = (value: boolean): unknown => ({ name: 'os/linux/no-new-privileges', value })
  const status = 'print-status NoNewPrivs'
  t.is((await isolated(status, [flag(true), flag(false)])).stdout, 'NoNewPrivs:\t1\n')
  t.is((await isolated(status, [flag(false)])).stdout, 'NoNewPrivs:\t0\n')
})

test('quota and shares of the processor are in the group; the score for want of memory is the process\'s', async (t) => {
  const line = 'cat /proc/self/oom_score_adj; cd /sys/fs/cgroup; cat cpu/cpu.cfs_quota_us cpu/cpu.shares 2>/dev/null || cat cpu.max cpu.weight'
  const { stdout } = await scene.shell(line, { app: ['--cpu=250m', '--cpu-shares=512', '--oom-score-adj=321'] })
  t.regex(stdout, /^321\n(25000\n512|25000 100000\n20)\n$/)
})

test('an app that outgrows its memory ends with 137, and status says why', async (t) => {
  const file = scene.place.in('oom-uuid')
  const { code, stderr } = await scene.rkt(['run', '--net=none', `--uuid-file-save=${file}`, scene.image, '--memory=20M', ...shellWords('a=x; while :; do a=$a$a; done')])
  t.is(code, 137)
  t.regex(stderr, /stage1: app "busybox" ran out of memory/)
  const uuid = readFileSync(file, 'utf8')
  t.regex((await scene.rkt(['status', uuid])).stdout, /^app-busybox=137\napp-busybox-reason=OOMKilled$/m)
  t.regex((await scene.rkt(['status', '--format=json', uuid])).stdout, /"reason": ?"OOMKilled"/)
  const killed = await scene.rkt(['run', '--net=none', `--uuid-file-save=${file}-2`, scene.image, '--memory=20M', ...shellWords('kill -9 $$')])
  t.is(killed.code, 137)
  t.notRegex((await scene.rkt(['status', readFileSync(`${file}-2`, 'utf8')])).stdout, /OOMKilled/)
})

test('--insecure-options=paths shows and opens what is protected, and nothing else changes', async (t) => {
  const line = 'ls /sys/firmware /sys/module >/dev/null && echo shown; grep -c "^proc /proc/sys \\|/proc/keys" /proc/mounts; grep -o " /sys sysfs r." /proc/mounts; print-status CapBnd Seccomp'
  t.is((await scene.shell(line, { flags: ['--insecure-options=paths'] })).stdout, 'shown\n0\n /sys sysfs rw\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n')
  t.regex((await scene.shell(line)).stdout, /^[1-9]\n \/sys sysfs ro\n/m)
})

const remount = ['--readonly-rootfs', '--caps-retain=CAP_SYS_ADMIN,CAP_DAC_OVERRIDE', '--seccomp=mode=retain,@appc.io/all']
const write = 'mount -o remount,bind,rw / 2>/dev/null && echo remounted; touch /new 2>/dev/null && echo written; touch /data/new /dev/shm/new && echo x >/dev/null && echo 7 >/proc/self/oom_score_adj && mv /data/new /data/moved && echo allowed'

test('a read-only root is read-only also for a root that may mount; volumes and devices stay writable', async (t) => {
  for (const flags of [[], ['--private-users=false']] as const) {
    const given = ['--volume=data,kind=empty', ...flags]
    t.is((await scene.shell(write, { flags: given, app: ['--mount=volume=data,target=/data', ...remount] })).stdout, 'allowed\n')
    const open = await scene.shell(write, { flags: [...given, '--insecure-options=paths'], app: ['--mount=volume=data,target=/data', ...remount] })
    t.is(open.stdout, 'remounted\nwritten\nallowed\n', 'the twin: without the protection of paths it may')
  }
})

test('where the kernel has no Landlock the mount stays read-only, and nothing is said; where it refuses the start fails', async (t) => {
  const line = (errno: string): string => `exec ${probe('without')} landlock_create_ruleset=${errno} $RKT run --rm --net=none $IMAGE --readonly-rootfs --exec=/bin/touch -- /new`
  const absent = await scene.bash(line('ENOSYS'))
  t.regex(absent.stderr, /touch: \/new: Read-only file system/)
  t.not(absent.code, 254)
  const refused = await scene.bash(line('EPERM'))
  t.is(refused.code, 254)
  t.regex(refused.stderr, /stage1: cannot ask for "landlock": Operation not permitted/)
})

test('C14: user namespaces inside a pod are none whatever the filter lets through, unless an app asks for them', async (t) => {
  const remove = { name: 'os/linux/seccomp-remove-set', value: { set: ['reboot'], errno: 'EPERM' } }
  const line = 'cat /proc/sys/user/max_user_namespaces; unshare -Ur id -u 2>&1'
  t.regex((await isolated(line, [remove])).stdout, /^0\nunshare: .*\n$/)
  t.is((await isolated(line, [remove, sysctl({ 'user.max_user_namespaces': '3' })])).stdout, '3\n0\n')
  const retain = { name: 'os/linux/seccomp-retain-set', value: { set: ['@rkt/default-whitelist', 'unshare', 'clone'], errno: 'EPERM' } }
  t.regex((await isolated(line, [retain])).stdout, /^[1-9]\d*\n0\n$/)
})

test('C14: what is behind a user namespace stays closed with the default filter', async (t) => {
  const asks = sysctl({ 'user.max_user_namespaces': '3' })
  const { stdout } = await isolated('unshare -Ur true 2>&1; unshare -Urm mount -t overlay o /mnt 2>&1; unshare -Urn ip link add type dummy 2>&1; true', [asks])
  t.is(stdout.trimEnd().split('\n').filter((line) => /not permitted/.test(line)).length, 3)
})

test('a read-only device volume is not writable in a pod with a user namespace of its own either', async (t) => {
  const node = scene.place.in('node')
  execFileSync('/bin/sh', ['-c', `mknod ${node} c 10 229 && chmod 666 ${node}`])
  const line = '(: < /dev/given) && echo opened; (: > /dev/given) 2>/dev/null && echo written; (: <> /dev/given) 2>/dev/null && echo both; : >/dev/null && echo fine'
  const app = ['--mount=volume=v,target=/dev/given']
  t.is((await scene.shell(line, { flags: [`--volume=v,kind=host,source=${node},readOnly=true`], app })).stdout, 'opened\nfine\n')
  t.is((await scene.shell(line, { flags: [`--volume=v,kind=host,source=${node}`], app })).stdout, 'opened\nwritten\nboth\nfine\n')
})

test('B17: mounts that the host makes later come with propagation=slave, and none goes back; shared needs the host\'s ids', async (t) => {
  const source = scene.place.in('travel')
  mkdirSync(source)
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', source])
  execFileSync('mount', ['--make-rshared', source])
  for (const name of ['slave', 'private']) mkdirSync(`${source}/${name}`)
  const wait = (name: string): readonly string[] => shellWords(`touch /data/${name}.up; n=0; until [ -e /data/${name}.go ]; do sleep 0.05; done; [ -e /data/${name}/late ] && echo came || echo not; rm /data/${name}.*`)
  for (const [name, parameter, came] of [['slave', ',propagation=slave', 'came\n'], ['private', '', 'not\n']] as const) {
    const pod = await scene.start(['--rm', `--volume=v,kind=host,source=${source}${parameter}`, scene.image, '--mount=volume=v,target=/data', ...wait(name)])
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', `${source}/${name}`])
    for (const file of [`${name}/late`, `${name}.go`]) writeFileSync(`${source}/${file}`, '')
    t.is((await pod.end).stdout, came)
  }
  for (const [parameter, state] of [
    ['shared', /cannot mount volume "v" with propagation shared: a pod with a user namespace of its own/],
    ['rslave,readOnly=true', /mounts that are made later would be writable/],
    ['bogus', /propagation: "bogus"; expected private, slave or shared/],
    ['exec', /propagation: "exec"; expected/],
  ] as const) {
    const { code, stderr } = await scene.shell('echo started', { flags: [`--volume=v,kind=host,source=${source},propagation=${parameter}`], app: ['--mount=volume=v,target=/data'] })
    t.is(code, 254)
    t.regex(stderr, state)
  }
  const shared = await scene.shell('echo started', { flags: ['--private-users=false', `--volume=v,kind=host,source=${source},propagation=rshared`], app: ['--mount=volume=v,target=/data'] })
  t.is(shared.stdout, 'started\n', shared.stderr)
})

