import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { groupsOf, openPodScene, shellWords, until } from '../support/pod-scene.ts'
import { probe } from '../support/paths.ts'

const scene = await openPodScene({
  files: {
    ...Object.fromEntries(['try-syscall', 'print-fds', 'print-status', 'write-forever'].map((name) => [`bin/${name}`, { copy: probe(name) }])),
    'etc/group': 'root:x:0:user\ndocker:x:998:user\nuser:x:1000:\n',
    'owned': 'x',
  },
})
test.after.always(() => scene[Symbol.dispose]())

test('C1: neither a starting nor a running app holds a descriptor of the host', async (t) => {
  const victim = scene.place.in('victim')
  writeFileSync(victim, 'hello')
  const { stdout } = await scene.bash(`exec 7</etc 8<>${victim} 9<$DIR; $RKT run --rm --net=none $IMAGE --exec=/bin/print-fds`)
  t.deepEqual(stdout.trimEnd().split('\n').map((line) => line.split(' ')[0]), ['0', '1', '2'])
  const handlers = { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'a', image: { id: scene.image }, app: {
    exec: ['/bin/print-fds'], user: '1000', group: '1000',
    eventHandlers: [{ name: 'pre-start', exec: ['/bin/print-fds'] }, { name: 'post-stop', exec: ['/bin/print-fds'] }],
  } }] }
  writeFileSync(scene.place.in('handlers.json'), JSON.stringify(handlers))
  const all = await scene.bash(`exec 7</etc; $RKT run --rm --net=none --pod-manifest=$DIR/handlers.json`)
  t.deepEqual(all.stdout.trimEnd().split('\n').map((line) => line.split(' ')[0]), ['0', '1', '2', '0', '1', '2', '0', '1', '2'])
  t.is(readFileSync(victim, 'utf8'), 'hello')
})

test('C1: what holds a running pod on the host has no descriptor that an app can reach', async (t) => {
  const pod = await scene.start(['--rm', scene.image, '--exec=/bin/sleep', '--', '1000'])
  const { stdout } = await scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', 'for p in 1 2; do for l in fd fdinfo map_files; do ls /proc/$p/$l >/dev/null 2>&1 && echo $p $l; done; for l in root cwd exe; do readlink /proc/$p/$l >/dev/null 2>&1 && echo $p $l; done; done'])
  t.deepEqual(stdout.trimEnd().split('\n').filter((line) => line.startsWith('1 ')), [])
  t.true(stdout.includes('2 fd\n'), 'the twin: an app sees its own kind')
  process.kill(pod.pid, 'SIGTERM')
  await pod.end
})

test('C4: a program with capabilities in its file gains nothing beyond the bound, and inheritable ones not at all', async (t) => {
  const source = scene.place.in('caps')
  execFileSync('cp', [probe('print-status'), source])
  execFileSync('/sbin/setcap', ['cap_net_raw,cap_net_bind_service+ei', source])
  const flags = [`--volume=v,kind=host,source=${source}`]
  const { stdout } = await scene.shell('/caps CapInh CapPrm CapEff CapAmb', { flags, app: ['--mount=volume=v,target=/caps', '--user=1000', '--group=1000'] })
  t.is(stdout, ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map((name) => `${name}:\t0000000000000000\n`).join(''))
})

test('C7: groups are those asked for and the primary one, never those of a database by surprise', async (t) => {
  t.is((await scene.shell('id -G', { app: ['--user=user', '--group=user'] })).stdout, '1000\n')
  t.is((await scene.shell('id -G', { app: ['--user=1000', '--group=1000', '--supplementary-gids=998'] })).stdout, '1000 998\n')
  t.regex((await scene.shell('print-status Groups', { app: ['--user=1000', '--group=2000'] })).stdout, /^Groups:\t2000 \n$/)
  const closed = await scene.shell('cat /owned 2>&1; true', { app: ['--user=1000', '--group=1000', '--supplementary-gids=2000'] })
  t.is(closed.stdout, 'x')
})

test('C8: nothing can be typed into the caller\'s terminal', async (t) => {
  const names = ['ioctl-tiocsti', 'ioctl-tiocsti-high', 'ioctl-tioclinux', 'ioctl-tioclinux-high']
  const { stdout } = await scene.rkt(['run', '--rm', '--net=none', '--interactive', scene.image, '--exec=/bin/try-syscall', '--', ...names, 'ioctl-tcgets'], { tty: true })
  t.deepEqual([...stdout.matchAll(/ioctl-\S+ \d+/g)].map(([line]) => line).sort(), [...names.map((name) => `${name} 1`), 'ioctl-tcgets 9'].sort())
})

test('C14: a user namespace cannot be made inside, unless the filter is waived', async (t) => {
  const line = 'unshare -Ur true 2>&1; unshare -m true 2>&1; mount -t tmpfs none /tmp 2>&1; true'
  const { stdout } = await scene.shell(line)
  t.is(stdout.split('\n').filter((text) => /not permitted|denied/.test(text)).length, 3)
  const waived = await scene.shell('unshare -Ur id -u', { flags: ['--insecure-options=seccomp'] })
  t.is(waived.stdout, '0\n')
})

test('C15: a bomb of processes meets the limit, and the host goes on', async (t) => {
  const bomb = 'i=0; while [ $i -lt 4000 ]; do sleep 30 & i=$((i+1)); done'
  const pod = await scene.start(['--rm', scene.image, ...shellWords(`trap "" TERM; while :; do sh -c '${bomb}' 2>/dev/null; done`)])
  const current = (): number => Number(readFileSync(groupFile(pod.uuid, 'pids.current'), 'utf8'))
  await until('the bomb', () => current() > 500)
  const startedMs = Date.now()
  execFileSync('/bin/true')
  t.true(Date.now() - startedMs < 1000)
  t.true(current() <= 2048)
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  t.is((await pod.end).code, 137)
  t.deepEqual(scene.leftovers([pod.uuid]).filter((path) => path.includes(pod.uuid)), [])
})

function groupFile(uuid: string, name: string): string {
  return groupsOf([uuid]).map((group) => join(group, 'app-busybox', name)).find((path) => existsSync(path)) ?? ''
}

test('C15: a memory hog is killed at its limit, and its neighbour is not', async (t) => {
  const { code } = await scene.shell('head -c 200000000 /dev/zero | tail | wc -c', { app: ['--memory=20M'] })
  t.is(code, 0, 'the shell survives')
  const hog = await scene.rkt(['run', '--rm', '--net=none', scene.image, '--memory=20M', '--exec=/bin/sh', '--', '-c', 'a=x; while :; do a=$a$a; done'])
  t.is(hog.code, 137)
})

test('C15: a million descriptors meet the caller\'s limit; a dump leaves no file on the host', async (t) => {
  const onHost = (): readonly string[] => ['/', scene.place.path, process.cwd()].flatMap((path) => readdirSync(path).filter((name) => name.startsWith('core')))
  const before = onHost()
  const { stdout } = await scene.shell('ulimit -n; ulimit -n 1048577 2>/dev/null && echo raised; ulimit -c unlimited; sh -c "kill -SEGV \\$\\$"; echo $?')
  t.deepEqual(onHost(), before)
  t.regex(stdout, /^\d+\n139\n$/)
})

test('C16: control groups cannot be written, whatever the app\'s user', async (t) => {
  for (const flags of [[], ['--private-users=false']] as const) {
    const { stdout } = await scene.shell('for f in $(find /sys/fs/cgroup -type f -o -type d); do (echo 0 > $f || mkdir $f/x) 2>/dev/null && echo wrote $f; done; [ -n "$(ls /sys/fs/cgroup)" ] && echo seen', { flags })
    t.is(stdout, 'seen\n')
  }
})

test('C17: side channels of hardware and kernel are closed', async (t) => {
  const paths = ['/sys/devices/virtual/powercap', '/sys/firmware', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/sched_debug', '/proc/scsi', '/proc/acpi', '/proc/interrupts']
  const { stdout } = await scene.shell(`for p in ${paths.join(' ')}; do [ -z "$(ls -A $p 2>/dev/null | grep -v "^$p$")" ] && [ -z "$(head -c 16 $p 2>/dev/null)" ] || echo open $p; done; head -c 5 /proc/uptime | wc -c`)
  t.is(stdout, '5\n')
})

const steps = ['capset', 'fchownat', 'fsconfig', 'fsmount', 'fsopen', 'keyctl', 'mknodat', 'mount', 'mount_setattr', 'move_mount', 'open_tree', 'pivot_root',
  'seccomp', 'setgroups', 'sethostname', 'setns', 'setresuid', 'symlinkat', 'umount2', 'unshare']
for (const step of steps) {
  test(`C18: where ${step}() is refused the start fails, says so in one line, and leaves nothing`, async (t) => {
    const file = scene.place.in(`without-${step}`)
    const { code, stdout, stderr } = await scene.bash(
      `exec ${probe('without')} ${step} $RKT run --rm --net=none --uuid-file-save=${file} $IMAGE --user=1000 --group=1000 --exec=/bin/echo -- started`,
    )
    t.is(code, 254, stderr)
    t.is(stdout, '')
    t.regex(stderr, /^(run: warning: .*\n)?stage1: cannot .*: Operation not permitted.*\n$/)
    const uuid = readFileSync(file, 'utf8')
    t.deepEqual(scene.leftovers([uuid]).filter((path) => path.includes(uuid)), [])
  })
}

test('C18: a system call that no step needs changes nothing', async (t) => {
  t.is((await scene.bash(`exec ${probe('without')} kexec_load $RKT run --rm --net=none $IMAGE --exec=/bin/echo -- started`)).stdout, 'started\n')
})

test('C18: without the permission for a step nothing starts', async (t) => {
  for (const capability of ['sys_admin', 'setuid', 'mknod', 'setpcap', 'sys_chroot']) {
    const { code, stdout, stderr } = await scene.bash(`capsh --drop=cap_${capability} -- -c "$RKT run --rm --net=none $IMAGE --exec=/bin/print-status -- CapBnd Seccomp"`)
    // A capability that no step needs is only missing in the bound; else the start ends with one line.
    if (code === 0) t.regex(stdout, /^CapBnd:\t00000000[0-9a-f]{8}\nSeccomp:\t2\n$/)
    else t.regex(stderr, /^(stage1|run|enter): .*cannot .*$/m, capability)
  }
})
