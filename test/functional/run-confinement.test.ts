import { readFileSync } from 'node:fs'
import test from 'ava'
import { openPodScene } from '../support/pod-scene.ts'
import { probe } from '../support/paths.ts'

const scene = await openPodScene({
  files: Object.fromEntries(['try-syscall', 'print-fds', 'print-status', 'print-mounts'].map((name) => [`bin/${name}`, { copy: probe(name) }])),
})
test.after.always(() => scene[Symbol.dispose]())

const defaultMask = '00000000a80425fb'
const status = 'print-status CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp'
const fields = (stdout: string): Record<string, string> => Object.fromEntries(stdout.trimEnd().split('\n').map((line) => line.split(':\t') as [string, string]))

test('an app of root has the 14 default capabilities and a filter', async (t) => {
  t.deepEqual(fields((await scene.shell(status)).stdout), {
    CapInh: '0000000000000000', CapPrm: defaultMask, CapEff: defaultMask, CapBnd: defaultMask, CapAmb: '0000000000000000', NoNewPrivs: '0', Seccomp: '2',
  })
})

test('an app of another user has none of them, but the same bound', async (t) => {
  const { stdout } = await scene.shell(status, { app: ['--user=1000', '--group=1000'] })
  const none = '0000000000000000'
  t.deepEqual(fields(stdout), { CapInh: none, CapPrm: none, CapEff: none, CapBnd: defaultMask, CapAmb: none, NoNewPrivs: '0', Seccomp: '2' })
})

test('flags narrow capabilities; --insecure-options give all of them, and no filter', async (t) => {
  const only = fields((await scene.shell(status, { app: ['--caps-retain=CAP_NET_BIND_SERVICE,CAP_KILL'] })).stdout)
  t.is(only['CapEff'], '0000000000000420')
  const less = fields((await scene.shell(status, { app: ['--caps-remove=CAP_MKNOD'] })).stdout)
  t.is(less['CapBnd'], '00000000a00425fb')
  const all = fields((await scene.shell(status, { flags: ['--insecure-options=capabilities,seccomp'] })).stdout)
  t.is(all['Seccomp'], '0')
  t.regex(all['CapEff'] ?? '', /^000001ffffffffff$/)
})

const refused = ['mount', 'umount2', 'unshare', 'setns', 'pivot_root', 'open_tree', 'mount_setattr', 'clone-newuser', 'clone-newns', 'keyctl', 'add_key',
  'bpf', 'perf_event_open', 'userfaultfd', 'open_by_handle_at', 'reboot', 'kexec_load', 'ioctl-tiocsti', 'ioctl-tiocsti-high', 'ioctl-tioclinux', 'ioctl-tioclinux-high',
  'personality-norandom', 'i386-mount']
test('system calls that reach the host are refused with EPERM, ordinary ones pass', async (t) => {
  const { stdout } = await scene.shell(`try-syscall ${refused.join(' ')}; echo --; try-syscall getpid clone-fork socket-unix i386-getpid`)
  const [no = '', yes] = stdout.split('--\n')
  t.deepEqual(no.trimEnd().split('\n').sort(), refused.map((name) => `${name} 1`).sort())
  t.is(yes, 'getpid ok\nclone-fork ok\nsocket-unix ok\ni386-getpid ok\n')
})

test('paths of the kernel that tell of the host are empty or absent, and settings read-only', async (t) => {
  const hidden = ['/proc/kcore', '/proc/keys', '/proc/kallsyms', '/proc/timer_list', '/proc/sched_debug', '/proc/latency_stats', '/proc/scsi', '/proc/acpi',
    '/proc/interrupts', '/proc/config.gz', '/sys/firmware', '/sys/module', '/sys/power', '/sys/hypervisor', '/sys/kernel/debug', '/sys/devices/virtual/powercap']
  const line = `for p in ${hidden.join(' ')}; do if [ -d $p ]; then [ -z "$(ls -A $p)" ] || echo shown $p; elif [ -e $p ]; then [ "$(wc -c <$p)" = 0 ] || echo shown $p; fi; done; stat -c %a /sys/firmware /proc/keys`
  t.is((await scene.shell(line)).stdout, '0\n0\n')
  const writing = 'for p in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/panic_on_oom /proc/sysrq-trigger /sys/kernel/uevent_helper; do ' +
    '[ -e $p ] || continue; (echo x > $p) 2>/dev/null && echo wrote $p; done; for d in /sys/block /sys/class /sys/devices; do touch $d/x 2>/dev/null && echo wrote $d; done; true'
  t.is((await scene.shell(writing)).stdout, '')
  const core = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  await scene.shell('echo "|/pwn" > /proc/sys/kernel/core_pattern', { flags: ['--private-users=false'] })
  t.is(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), core)
})

test('an ordinary user reads nothing of the masked paths, not even their names', async (t) => {
  const { stdout } = await scene.shell('cat /proc/keys 2>&1; ls /sys/firmware 2>&1', { app: ['--user=1000', '--group=1000'] })
  t.is(stdout, 'cat: can\'t open \'/proc/keys\': Permission denied\nls: can\'t open \'/sys/firmware\': Permission denied\n')
})

for (const flags of [[], ['--private-users=false']] as const) {
  test(`the app makes no device that works: ${flags.join('') || 'default'}`, async (t) => {
    const line = 'for d in "mem c 1 1" "disk b 254 0" "tty c 4 1"; do for p in /tmp /dev; do set -- $d; mknod $p/$1 $2 $3 $4 2>/dev/null && cat $p/$1 >/dev/null 2>&1 && echo opened $p/$1; done; done; : >/dev/null && echo fine'
    t.is((await scene.shell(line, { flags })).stdout, 'fine\n')
  })
}

test('pod init shows nothing of itself', async (t) => {
  const line = 'for p in environ maps mem cwd/x root/x fd exe auxv; do (ls /proc/1/$p >/dev/null && cat /proc/1/$p >/dev/null) 2>/dev/null && echo reads $p; done; ls -l /proc/1/exe 2>&1 | grep -c memfd; kill -9 1; sleep 0.2; echo alive'
  t.is((await scene.shell(line)).stdout, '0\nalive\n')
})

test('the session keyring is the pod\'s own and empty', async (t) => {
  const { stdout } = await scene.shell('cat /proc/keys', { flags: ['--insecure-options=paths'] })
  t.regex(stdout, /^[^\n]* keyring +_ses: empty\n$/)
})

test('control groups: the app sees its own, read-only, with its limits', async (t) => {
  const { stdout } = await scene.shell('cat /proc/self/cgroup | cut -d: -f3 | sort -u; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; for f in $(find /sys/fs/cgroup -type f); do (echo 1 > $f) 2>/dev/null && echo wrote $f; done; mkdir /sys/fs/cgroup/new 2>/dev/null && echo made; true', { app: ['--user=0'] })
  t.is(stdout, '/\n2048\n')
  const limited = await scene.shell('cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null', { app: ['--memory=20M'] })
  t.is(limited.stdout, '19996672\n')
})

test('every mount but the root and volumes is without setuid, and nothing but /dev has devices', async (t) => {
  const { stdout } = await scene.shell('print-mounts')
  const mounts = stdout.trimEnd().split('\n').map((line) => line.split(' '))
  for (const [point, , options = ''] of mounts) {
    if (point !== '/') t.regex(options, /nosuid/, point)
    if (point !== '/dev' && point !== '/dev/pts') t.regex(options, /nodev/, point)
  }
  t.true(mounts.some(([point, type]) => point === '/' && type === 'overlay'))
})
