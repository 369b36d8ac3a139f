import { writeFileSync } from 'node:fs'
import test from 'ava'
import { openPodScene, shellWords } from '../support/pod-scene.ts'

const scene = await openPodScene({
  manifest: {
    app: {
      exec: ['/bin/true'],
      environment: [{ name: 'SHELL', value: '/bin/other' }, { name: 'OWN', value: 'a b' }],
      workingDirectory: '/opt',
    },
  },
  files: { 'opt/file': 'x' },
})
test.after.always(() => scene[Symbol.dispose]())

const manifestFile = (name: string, app: Readonly<Record<string, unknown>>): string => {
  const path = scene.place.in(`${name}.json`)
  const entry = { name, image: { id: scene.image }, app: { exec: ['/bin/true'], user: '0', group: '0', ...app } }
  writeFileSync(path, JSON.stringify({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [entry] }))
  return path
}
const runManifest = (name: string, app: Readonly<Record<string, unknown>>): ReturnType<typeof scene.rkt> =>
  scene.rkt(['run', '--rm', '--net=none', `--pod-manifest=${manifestFile(name, app)}`])
const sh = (line: string): readonly string[] => ['/bin/sh', '-c', line]

test('pre-start runs as root in the root of an app of another user, post-stop after it', async (t) => {
  const { code, stdout } = await runManifest('handlers', {
    exec: sh('id -u; cat /ready'),
    user: '1000',
    group: '1000',
    eventHandlers: [
      { name: 'pre-start', exec: sh('echo pre $(id -u) $OWN; echo done > /ready') },
      { name: 'post-stop', exec: sh('echo post $(id -u); cat /ready') },
    ],
    environment: [{ name: 'OWN', value: 'mine' }],
  })
  t.is(code, 0)
  t.is(stdout, 'pre 0 mine\n1000\ndone\npost 0\ndone\n')
})

test('a pre-start that fails is the failure of its app, which does not start', async (t) => {
  const { code, stdout } = await runManifest('failing', {
    exec: sh('echo never'),
    eventHandlers: [{ name: 'pre-start', exec: sh('exit 9') }],
  })
  t.is(code, 9)
  t.is(stdout, '')
})

test('post-stop runs also after an app that failed, and its own status counts for nothing', async (t) => {
  const { code, stdout } = await runManifest('poststop', {
    exec: sh('exit 3'),
    eventHandlers: [{ name: 'post-stop', exec: sh('echo after; exit 4') }],
  })
  t.is(code, 3)
  t.is(stdout, 'after\n')
})

test('working directory: of the image, of the flag, and a missing one is named', async (t) => {
  t.is((await scene.shell('pwd')).stdout, '/opt\n')
  t.is((await scene.shell('pwd', { app: ['--working-dir=/opt/../etc'] })).stdout, '/etc\n')
  const { code, stderr } = await scene.shell('pwd', { app: ['--working-dir=/missing'] })
  t.is(code, 254)
  t.regex(stderr, /^stage1: cannot change to working directory "\/missing": No such file or directory$/m)
})

test('a bare program name is looked up in PATH, one with a slash from the working directory', async (t) => {
  t.is((await scene.rkt(['run', '--rm', '--net=none', scene.image, '--exec=seq', '--', '1'])).stdout, '1\n')
  t.is((await scene.rkt(['run', '--rm', '--net=none', scene.image, '--exec=../bin/seq', '--', '2'])).stdout, '1\n2\n')
})

for (const [name, flags, expected] of [
  ['numbers', ['--user=7', '--group=8'], 'uid=7 gid=8 groups=8'],
  ['names', ['--user=user', '--group=extra'], 'uid=1000(user) gid=2000(extra) groups=2000(extra)'],
  ['the owner of a path', ['--user=/etc/passwd', '--group=/opt/file'], 'uid=0(root) gid=0(root) groups=0(root)'],
  ['supplementary groups', ['--user=1000', '--group=1000', '--supplementary-gids=5,2000'], 'uid=1000(user) gid=1000(user) groups=5,1000(user),2000(extra)'],
  ['a group database gives nothing by itself', ['--user=user', '--group=user'], 'uid=1000(user) gid=1000(user) groups=1000(user)'],
] as const) {
  test(`user and group by ${name}`, async (t) => {
    const { stdout, stderr } = await scene.shell('id', { app: flags })
    t.is(stdout, `${expected}\n`, stderr)
  })
}

test('a user or group that the image does not know is refused by name', async (t) => {
  const user = await scene.shell('id', { app: ['--user=nobody-here'] })
  t.is(user.code, 254)
  t.regex(user.stderr, /"nobody-here" user not found/)
  t.regex((await scene.shell('id', { app: ['--group=docker'] })).stderr, /"docker" group not found/)
})

test('environment: defaults only where the app has none, what the runtime sets always', async (t) => {
  const { stdout } = await scene.shell('env', { app: ['--environment=AC_APP_NAME=wrong'], env: { LEAKED: '1', LD_PRELOAD: '', NODE_OPTIONS: '--no-warnings' } })
  const lines = new Set(stdout.trimEnd().split('\n'))
  lines.delete('SHLVL=1')
  lines.delete('PWD=/opt')
  t.deepEqual([...lines].sort(), [
    'AC_APP_NAME=busybox',
    'HOME=/root',
    'LOGNAME=root',
    'OWN=a b',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'SHELL=/bin/other',
    'USER=root',
    'container=rkt',
  ])
})

test('--inherit-env gives the caller\'s variables, which the runtime itself does not obey', async (t) => {
  const env = { NODE_OPTIONS: '--require=/nope.js', LD_PRELOAD: '/nope.so', OTHER: 'yes', OWN: 'caller' }
  const { code, stdout, stderr } = await scene.shell('env', { flags: ['--inherit-env'], env })
  t.is(code, 0, stderr)
  t.regex(stdout, /^OTHER=yes$/m)
  t.regex(stdout, /^OWN=a b$/m)
})

test('host name: the pod\'s UUID, or the one asked for, and /etc/hostname agrees', async (t) => {
  const { stdout, uuid } = await scene.shell('hostname; cat /etc/hostname')
  t.is(stdout, `rkt-${uuid}\nrkt-${uuid}\n`)
  t.is((await scene.shell('hostname; cat /etc/hostname', { flags: ['--hostname=web.example'] })).stdout, 'web.example\nweb.example\n')
})

test('/etc/hosts: the runtime\'s where the image has none, with further entries; /etc/resolv.conf only when asked for', async (t) => {
  const plain = await scene.shell('cat /etc/hosts; ls /etc/resolv.conf 2>&1')
  t.regex(plain.stdout, /^127\.0\.0\.1\s+localhost/m)
  t.regex(plain.stdout, /resolv\.conf: No such file/)
  const asked = await scene.shell('cat /etc/hosts /etc/resolv.conf', { flags: ['--hosts-entry=10.9.8.7=other', '--dns=192.0.2.1', '--dns-search=example.com'] })
  t.regex(asked.stdout, /^10\.9\.8\.7\s+other$/m)
  t.regex(asked.stdout, /^nameserver 192\.0\.2\.1$/m)
  t.regex(asked.stdout, /^search example\.com$/m)
})

test('/etc/mtab leads to the mounts of whoever reads it', async (t) => {
  t.is((await scene.shell('readlink /etc/mtab; grep -c " /proc " /etc/mtab')).stdout, '../proc/self/mounts\n1\n')
})

test('/dev has what every program expects, each of it in working order', async (t) => {
  const line = [
    'for d in null zero full random urandom tty console ptmx; do [ -c /dev/$d ] || echo missing $d; done',
    'for d in pts shm mqueue; do [ -d /dev/$d ] || echo missing $d; done',
    'echo x > /dev/null; head -c 2 /dev/zero | od -An -tx1; echo x 2>&1 > /dev/full; head -c 4 /dev/urandom | wc -c',
    'echo hi | cat /dev/stdin; echo hello > /dev/fd/1; echo console > /dev/console',
    'touch /dev/shm/x && echo shm; stat -c "%a %F" /dev/shm; ls /dev/pts; ls /dev | wc -l',
  ].join('\n')
  const { stdout } = await scene.shell(line, { flags: [] })
  t.is(stdout, ' 00 00\nsh: write error: No space left on device\n4\nhi\nhello\nshm\n1777 directory\nptmx\n16\n')
})

test('a read-only root leaves /dev/shm and volumes writable', async (t) => {
  const line = 'touch /x /tmp/x 2>&1; touch /dev/shm/y && echo shm; touch /data/z && echo volume'
  const { stdout } = await scene.shell(line, { flags: ['--volume=v,kind=empty'], app: ['--readonly-rootfs=true', '--mount=volume=v,target=/data'] })
  t.is(stdout, 'touch: /x: Read-only file system\ntouch: /tmp/x: Read-only file system\nshm\nvolume\n')
})

for (const flags of [[], ['--no-overlay'], ['--private-users=false'], ['--no-overlay', '--private-users=false']] as const) {
  test(`the app is root of a tree of its own that it may change: ${flags.join(' ') || 'default'}`, async (t) => {
    const line = 'id -u; stat -c "%u %g" / /bin/busybox /etc/passwd; echo more >> /etc/passwd; rm /opt/file; chown 33:33 /opt; stat -c "%u %g" /opt'
    const { code, stdout, stderr } = await scene.shell(line, { flags })
    t.is(code, 0, stderr)
    t.is(stdout, '0\n0 0\n0 0\n0 0\n33 33\n')
    t.is((await scene.shell('cat /opt/file; grep -c more /etc/passwd', { flags })).stdout, 'x0\n')
  })
}

test('without a user namespace ids are those of the host', async (t) => {
  t.regex((await scene.shell('cat /proc/self/uid_map', { flags: ['--private-users=false'] })).stdout, /^ +0 +0 +4294967295$/m)
  const mapped = await scene.shell('cat /proc/self/uid_map')
  const [, shift, count] = mapped.stdout.trim().split(/\s+/).map(Number)
  t.is(count, 65_536)
  t.true(shift !== undefined && shift >= 65_536 && shift % 65_536 === 0)
})

test('--net=host shows the host\'s interfaces, and a /sys that nobody can write', async (t) => {
  const { stdout } = await scene.bash('ls /sys/class/net; $RKT run --rm --net=host $IMAGE --exec=/bin/sh -- -c "echo --; ls /sys/class/net; touch /sys/x 2>&1"')
  const [host, pod] = stdout.split('--\n')
  t.is(pod, `${host}touch: /sys/x: Read-only file system\n`)
})

test('--net=none gives a loopback that is up, and nothing else', async (t) => {
  const { stdout } = await scene.shell('ls /sys/class/net; ip -o link show up | wc -l; ping -c 1 -W 1 127.0.0.1 | grep -c "1 packets received"')
  t.is(stdout, 'lo\n1\n1\n')
})

test('apps of a pod share processes, network and IPC, but no root', async (t) => {
  const app = (name: string, line: string): readonly string[] => [scene.image, `--name=${name}`, ...shellWords(line)]
  const link = 'readlink /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/user | tr "\\n" " "; echo; touch /mine-$AC_APP_NAME; sleep 0.5; ls -d /mine-*'
  const { stdout } = await scene.rkt(['run', '--rm', '--net=none', ...app('a', link), '---', ...app('b', link)])
  const of = (name: string): string[] => stdout.split('\n').filter((line) => line.includes(`] ${name}[`)).map((line) => line.replace(/^.*?: /, ''))
  t.is(of('a')[0], of('b')[0])
  t.is(of('a')[1], '/mine-a')
  t.is(of('b')[1], '/mine-b')
})
