import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { groupsOf, openPodScene, shellWords, until } from '../support/pod-scene.ts'
import { mountsBelow } from '../support/temp.ts'
import { probe } from '../support/paths.ts'
import { makeAci } from '../support/aci.ts'
import { rkt } from '../support/run.ts'

const hostile = [
  ['coreos.com/rkt/stage2/log-uri', 'binary:///tmp/pwn'], ['coreos.com/rkt/stage1', '/tmp/pwn'], ['coreos.com/rkt/insecure-options', 'all'],
  ['systemd.property.exec-start-post', '/bin/touch /tmp/pwn'], ['rkt/cgroup-parent', '../../..'], ['hooks', '/bin/touch /tmp/pwn'], ['appc.io/executor/privileged', 'true'],
] as const

const scene = await openPodScene({
  manifest: {
    annotations: hostile.map(([name, value]) => ({ name, value })),
    app: { userAnnotations: Object.fromEntries(hostile), userLabels: { 'cgroup-parent': '../..', privileged: 'true' } },
  },
  files: Object.fromEntries(['print-status', 'print-fds'].map((name) => [`bin/${name}`, { copy: probe(name) }])),
})
test.after.always(() => scene[Symbol.dispose]())

test('C3: event handlers and entering programs are confined as the app is: capabilities, filter, namespaces, group, limits, labels, Landlock', async (t) => {
  const report = [
    'print-status CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters Uid Gid Groups',
    'for n in cgroup ipc mnt net pid user uts time; do readlink /proc/self/ns/$n; done',
    'cat /proc/self/cgroup /proc/self/limits /proc/self/oom_score_adj; cat /proc/self/attr/current 2>/dev/null',
    'grep " / / " /proc/self/mountinfo | cut -d" " -f1; stat -c %d:%i /; umask; touch /new 2>&1; mount -o remount,bind,rw / 2>&1',
    'print-fds | cut -d" " -f1,2',
  ].join('; ')
  const exec = ['/bin/sh', '-c', `${report}; echo end`]
  const isolators = [
    { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_SYS_ADMIN', 'CAP_CHOWN'] } }, { name: 'os/linux/no-new-privileges', value: true },
    { name: 'os/linux/oom-score-adj', value: 77 }, { name: 'os/linux/seccomp-remove-set', value: { set: ['reboot'], errno: 'EPERM' } },
  ]
  const app = { exec: ['/bin/sh', '-c', `${report}; echo end; sleep 1000`], user: '0', group: '0', supplementaryGIDs: [0], isolators, eventHandlers: [{ name: 'pre-start', exec }, { name: 'post-stop', exec }] }
  writeFileSync(scene.place.in('c3.json'), JSON.stringify({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'a', image: { id: scene.image }, app, readOnlyRootFS: true }] }))
  const pod = await scene.start([`--pod-manifest=${scene.place.in('c3.json')}`])
  await until('the report of the app', () => pod.stdout().split('end\n').length === 3)
  const entered = await scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', report])
  t.is((await scene.rkt(['stop', pod.uuid])).code, 0)
  const [before = '', ofApp = '', after = ''] = (await pod.end).stdout.split('end\n')
  t.regex(ofApp, /^CapPrm:\t0000000000200001$/m)
  t.regex(ofApp, /touch: \/new: Read-only file system\nmount: permission denied/)
  t.is(entered.stdout, ofApp)
  // Supplementary groups are the app's own matter: handlers are root and nothing else.
  const plain = (text: string): string => text.replace(/^Groups:.*\n/m, '')
  t.is(plain(before), plain(ofApp))
  t.is(plain(after), plain(ofApp))
})

test('C5: an app that may trace sees nothing of a process that is on its way in', async (t) => {
  const marker = scene.place.in('host-marker')
  writeFileSync(marker, '')
  const look = [
    'echo up; while [ ! -e /stop ]; do for p in /proc/[0-9]*; do',
    'e=$(readlink $p/exe 2>/dev/null); case $e in ""|/bin/*) ;; *) echo exe $e;; esac',
    `[ -e $p/root${marker} ] && echo root $p; [ -e $p/cwd${marker} ] && echo cwd $p`,
    'grep -q memfd $p/maps 2>/dev/null && echo maps $p; for f in $p/fd/*; do l=$(readlink $f 2>/dev/null); case $l in ""|pipe:*|/dev/null|/proc/*) ;; *) echo fd $l;; esac; done',
    'done; done; echo end',
  ].join('\n')
  for (const flags of [['--private-users=false'], []] as const) {
    const caps = flags.length === 0 ? ['--caps-retain=CAP_SYS_PTRACE,CAP_DAC_OVERRIDE,CAP_DAC_READ_SEARCH'] : []
    const pod = await scene.start([...flags, scene.image, ...caps, ...shellWords(look)])
    await until('the app', () => pod.stdout().includes('up'))
    for (let round = 0; round < Number(process.env['RKT_TEST_ROUNDS'] ?? '12'); round++) t.is((await scene.rkt(['enter', pod.uuid, '/bin/true'])).code, 0)
    const inside = await scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', 'readlink /proc/self/exe; touch /stop'])
    t.is(inside.stdout, '/bin/busybox\n', 'the twin: a program that is inside is like any other')
    const lines = (await pod.end).stdout.split('\n').filter((line) => !/^(up|end|)$/.test(line))
    t.deepEqual(lines, [])
  }
})

test('C7: the primary group counts, for better and for worse', async (t) => {
  const source = scene.place.in('groups')
  mkdirSync(source)
  execFileSync('/bin/sh', ['-c', 'cd $0; echo x > only-group; chmod 0070 only-group; echo x > not-group; chmod 0604 not-group; chgrp 1000 *', source])
  const flags = [`--volume=v,kind=host,source=${source}`]
  const mount = '--mount=volume=v,target=/data'
  const line = 'for f in only-group not-group; do cat /data/$f >/dev/null 2>&1 && echo reads $f; done; true'
  t.is((await scene.shell(line, { flags, app: [mount, '--user=1000', '--group=1000'] })).stdout, 'reads only-group\n')
  t.is((await scene.shell(line, { flags, app: [mount, '--user=1000', '--group=2000', '--supplementary-gids=1000'] })).stdout, 'reads only-group\n')
  t.is((await scene.shell(line, { flags, app: [mount, '--user=1000', '--group=2000'] })).stdout, 'reads not-group\n')
})

test('C11: what an image says in our own name is inert', async (t) => {
  t.false(existsSync('/tmp/pwn'))
  const pod = await scene.start([scene.image, ...shellWords('print-status CapBnd Seccomp; echo up; sleep 1000')])
  await until('the app', () => pod.stdout().includes('up'))
  t.true(pod.stdout().startsWith('CapBnd:\t00000000a80425fb\nSeccomp:\t2\n'))
  t.true(groupsOf([pod.uuid]).length > 0, 'the group of the pod is where it always is')
  t.is((await scene.rkt(['stop', pod.uuid])).code, 0)
  await pod.end
  t.false(existsSync('/tmp/pwn'))
})

test('C15: an app that fills the disk of its root ends by itself; the pod is stopped, told of and collected as any other', async (t) => {
  const small = scene.place.in('small')
  mkdirSync(small)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=755', 'tmpfs', small])
  const dir = join(small, 'data')
  const run = (args: readonly string[]): ReturnType<typeof rkt> => rkt(['--insecure-options=image', ...args], { dir })
  const { stdout } = await run(['fetch', '--full', makeAci()])
  const image = stdout.trim()
  const file = scene.place.in('full-uuid')
  const words = ['run', '--net=none', `--uuid-file-save=${file}`, image, ...shellWords('dd if=/dev/zero of=/fill bs=1M 2>&1 | grep -o "No space left on device"; echo hello; exit 6')]
  const full = await run(words)
  t.is(full.code, 6, full.stderr)
  t.is(full.stdout, 'No space left on device\nhello\n')
  const uuid = readFileSync(file, 'utf8')
  t.regex((await run(['status', uuid])).stdout, /^state=exited$/m)
  const again = await run(['run', '--net=none', image, ...shellWords('echo started')])
  t.not(again.code, 0, 'a full disk takes no further pod')
  t.regex(again.stderr, /[Nn]o space left/)
  t.is((await run(['gc', '--grace-period=0s'])).code, 0)
  t.deepEqual(readdirSync(join(dir, 'pods')).flatMap((stage) => readdirSync(join(dir, 'pods', stage))).filter((name) => name === uuid), [])
  t.is((await run(['run', '--rm', '--net=none', image, ...shellWords('echo started')])).stdout, 'started\n')
  t.deepEqual(mountsBelow(small), [small])
})

/** F_GET_SEALS of a process's program, and whether it can be opened for writing by the host's root. */
const inspect = `
import fcntl, sys
path = '/proc/%s/exe' % sys.argv[1]
print(fcntl.fcntl(open(path, 'rb'), 1034))
try:
    open(path, 'r+b')
    print('writable')
except OSError as e:
    print(e.strerror)
`

test('C1: launcher and init run from sealed copies, not from the installed program', async (t) => {
  const pod = await scene.start([scene.image, ...shellWords('sleep 1000')])
  const [init = ''] = readFileSync(`/proc/${pod.pid}/task/${pod.pid}/children`, 'utf8').split(' ')
  for (const pid of [String(pod.pid), init]) {
    t.regex(readlinkSync(`/proc/${pid}/exe`), /^\/memfd:/)
    const [seals = '', opened] = execFileSync('python3', ['-c', inspect, pid], { encoding: 'utf8' }).trimEnd().split('\n')
    // F_SEAL_SEAL, SHRINK, GROW and WRITE.
    t.is(Number(seals) & 15, 15)
    t.regex(opened ?? '', /Text file busy|Operation not permitted/)
  }
  // Init holds its sockets and signals, the namespaces and groups of its apps, /dev/null, and of the host the lock of the pod alone.
  const held = readdirSync(`/proc/${init}/fd`).map((fd) => readlinkSync(`/proc/${init}/fd/${fd}`))
  t.true(held.length > 3)
  t.deepEqual(held.filter((target) => !/^(socket:|anon_inode:\[?signalfd|pipe:|mnt:\[|cgroup:\[|(\/dev)?\/null$)|\/cgroup\.procs$/.test(target)), [join(scene.dir, 'pods/run', pod.uuid)])
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  await pod.end
})

test('C7: owners of an image beyond the ids of the pod belong to nobody in it, and are no user; with the ids of the host they are', async (t) => {
  const place = scene.place.in('large-ids')
  mkdirSync(join(place, 'rootfs/bin'), { recursive: true })
  execFileSync('/bin/sh', ['-ec', 'cd $0/rootfs; cp /bin/busybox bin/; for a in sh id stat cat; do ln -s busybox bin/$a; done; echo secret > large; chown 100000:200000 large; chmod 640 large', place])
  writeFileSync(join(place, 'manifest'), JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/large', labels: [{ name: 'os', value: 'linux' }, { name: 'arch', value: process.arch === 'x64' ? 'amd64' : 'aarch64' }], app: { exec: ['/bin/sh'], user: '0', group: '0' } }))
  execFileSync('tar', ['-czf', `${place}.aci`, '--numeric-owner', '-C', place, 'manifest', 'rootfs'])
  const run = (flags: readonly string[], app: readonly string[]): ReturnType<typeof rkt> =>
    rkt(['--insecure-options=image', ...['run', '--rm', '--net=none'], ...flags, `${place}.aci`, ...app, ...shellWords('stat -c %u:%g /large; cat /large 2>/dev/null || echo closed; id -u')], { dir: scene.dir })
  t.is((await run([], [])).stdout, '65534:65534\nclosed\n0\n')
  const beyond = await run([], ['--user=100000', '--group=0'])
  t.is(beyond.code, 254)
  t.regex(beyond.stderr, /cannot use user id 100000: out of range; expected 0 to 65535[^]*--private-users=false/)
  t.is((await run(['--private-users=false'], ['--user=100000', '--group=200000'])).stdout, '100000:200000\nsecret\n100000\n')
})
