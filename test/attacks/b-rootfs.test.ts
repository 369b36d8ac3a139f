import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { aciManifest } from '../support/aci.ts'
import { openPodScene, type PodResult } from '../support/pod-scene.ts'
import { mountsBelow } from '../support/temp.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

/** What an attack must not touch: a directory of the host. */
function makeVictim(name: string): { readonly path: string; readonly unchanged: () => boolean } {
  const path = scene.place.in(name)
  mkdirSync(join(path, 'd'), { recursive: true })
  writeFileSync(join(path, 'hello'), 'hello\n', { mode: 0o644 })
  const look = (): string => JSON.stringify([
    readdirSync(path), readdirSync(join(path, 'd')), readFileSync(join(path, 'hello'), 'utf8'),
    ...[path, join(path, 'd'), join(path, 'hello')].map((entry) => { const { mode, uid, mtimeMs, nlink } = statSync(entry); return [mode, uid, mtimeMs, nlink] }),
  ])
  const before = look()
  return { path, unchanged: () => look() === before && mountsBelow(path).length === 0 }
}

/** An image whose tree is made by lines of shell, run in the tree; `bin/busybox` is there before. */
function imageBy(lines: string, app: Readonly<Record<string, unknown>> = {}, { keepOwners = false }: { readonly keepOwners?: boolean } = {}): string {
  const place = mkdtempSync(join(tmpdir(), 'rkt-hostile-'))
  mkdirSync(join(place, 'rootfs/bin'), { recursive: true })
  mkdirSync(join(place, 'rootfs/etc'))
  execFileSync('/bin/sh', ['-ec', `cp /bin/busybox bin/busybox; for a in sh cat ls id pwd stat touch sleep readlink; do ln -s busybox bin/$a; done\n${lines}`], { cwd: join(place, 'rootfs') })
  writeFileSync(join(place, 'manifest'), JSON.stringify(aciManifest({ name: 'example.com/hostile', app })))
  execFileSync('tar', ['--create', '--gzip', '--sparse', `--file=${scene.place.in(`${place.split('/').at(-1)}.aci`)}`, ...(keepOwners ? [] : ['--owner=0', '--group=0']), '--numeric-owner', `--directory=${place}`, 'manifest', 'rootfs'])
  execFileSync('rm', ['-rf', place])
  return scene.place.in(`${place.split('/').at(-1)}.aci`)
}

let runs = 0
async function runImage(image: string, line: string, { flags = [], app = [] }: { readonly flags?: readonly string[]; readonly app?: readonly string[] } = {}): Promise<PodResult> {
  const file = scene.place.in(`hostile-${runs++}`)
  const words = ['run', '--rm', '--net=none', `--uuid-file-save=${file}`, ...flags, image, ...app, '--exec=/bin/sh', '--', '-c', line]
  const result = await scene.rkt(words, { timeoutMs: 20_000 })
  let uuid = ''
  try {
    uuid = readFileSync(file, 'utf8')
  } catch {
    // Refused before there was a pod.
  }
  return { ...result, uuid }
}

function nothingLeft(uuid: string): boolean {
  return uuid === '' || !scene.leftovers([uuid]).some((path) => path.includes(uuid))
}

const kinds = [
  ['a link out of the image', (place: string, victim: string) => `ln -s ../../../../../..${victim} ${place}`],
  ['an absolute link', (place: string, victim: string) => `ln -s ${victim}/d ${place}`],
  ['a file', (place: string) => `echo x > ${place}`],
] as const

for (const [index, [kind, make]] of kinds.entries()) {
  for (const place of ['proc', 'sys', 'dev']) {
    test(`B1, B2: ${place} as ${kind} is refused, and nothing is made on the host`, async (t) => {
      const victim = makeVictim(`victim-${place}-${index}`)
      const { code, stderr, uuid } = await runImage(imageBy(make(place, victim.path)), 'true')
      t.is(code, 254)
      t.regex(stderr, new RegExp(`cannot use as mount target \\(must be an ordinary directory\\) "${place}": `))
      t.true(victim.unchanged())
      t.true(nothingLeft(uuid))
    })
  }

  test(`B1, B2: what lies below dev and sys as ${kind} is covered, and nothing is made on the host`, async (t) => {
    const victim = makeVictim(`victim-below-${index}`)
    const below = ['dev/pts', 'dev/shm', 'dev/mqueue', 'dev/null', 'dev/ptmx', 'dev/console', 'sys/fs']
    const image = imageBy(`mkdir dev sys\n${below.map((place) => make(place, victim.path)).join('\n')}`)
    const { code, stdout, stderr, uuid } = await runImage(image, 'echo x > /dev/null; touch /dev/shm/x; stat -c %F /dev/pts /dev/shm /dev/mqueue /dev/null /sys/fs/cgroup')
    t.is(code, 0, stderr)
    t.is(stdout, 'directory\ndirectory\ndirectory\ncharacter special file\ndirectory\n')
    t.true(victim.unchanged())
    t.true(nothingLeft(uuid))
  })
}

test('B1: the twin with ordinary directories, filled or missing, starts', async (t) => {
  const filled = await runImage(imageBy('mkdir -p proc sys/fs/cgroup dev/pts dev/shm dev/mqueue; echo x > proc/x; echo y > dev/null; echo z > dev/console'), 'ls /proc/x /dev/x 2>/dev/null; echo hi > /dev/null; echo started')
  t.is(filled.stdout, 'started\n')
  t.is((await runImage(imageBy('true'), 'echo started')).stdout, 'started\n')
})

test('B4: a volume over a path that is to be protected leaves no start without protection', async (t) => {
  const rounds = Number(process.env['RKT_TEST_ROUNDS'] ?? '12')
  const share = scene.place.in('share')
  mkdirSync(join(share, 'a'), { recursive: true })
  const core = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  const swap = 'cd /share; while :; do ln -sfn /proc/sys/kernel/core_pattern mask; rm -f mask; mkdir mask 2>/dev/null; rmdir mask; done'
  const racer = await scene.start(['--rm', `--volume=v,kind=host,source=${share}`, scene.image, '--mount=volume=v,target=/share', '--exec=/bin/sh', '--', '-c', swap])
  try {
    for (let round = 0; round < rounds; round++) {
      const { stdout } = await scene.shell('(echo "|/pwn" > /proc/sys/kernel/core_pattern) 2>/dev/null && echo wrote; [ -s /proc/keys ] && echo unmasked; [ -z "$(ls -A /sys/firmware)" ] && echo protected', {
        flags: [`--volume=v,kind=host,source=${share}`],
        app: ['--mount=volume=v,target=/share'],
      })
      t.is(stdout, 'protected\n')
    }
  } finally {
    process.kill(racer.pid, 'SIGTERM')
    await racer.end
  }
  t.is(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), core)
})

test('B6: a volume does not get over /proc by way of a link of the image', async (t) => {
  for (const [link, target] of [['/proc', '/p'], ['/proc/self', '/p/attr'], ['/dev/pts', '/p']] as const) {
    const { code, stderr } = await runImage(imageBy(`ln -s ${link} p`), 'true', { flags: ['--volume=v,kind=empty'], app: [`--mount=volume=v,target=${target}`] })
    t.is(code, 254)
    t.regex(stderr, /belongs to the system|open mount target|make mount target/)
  }
  const twin = await runImage(imageBy('mkdir real; ln -s real p'), 'touch /p/x; ls /real', { flags: ['--volume=v,kind=empty'], app: ['--mount=volume=v,target=/p'] })
  t.is(twin.stdout, 'x\n', twin.stderr)
})

test('B5: the console of an app with a terminal is a terminal, whatever the image and other apps of the pod put in the way', async (t) => {
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  const image = imageBy('mkdir -p dev/pts; for p in console pts/0; do ln -s /proc/sys/kernel/core_pattern dev/$p; done; ln -s busybox bin/grep; ln -s busybox bin/tty')
  const line = 'tty; grep -o " /dev/console devpts" /proc/mounts; (echo "|/pwn" >/proc/sys/kernel/core_pattern) 2>/dev/null && echo written; grep -o " /proc/sys proc r." /proc/mounts'
  for (let round = 0; round < Number(process.env['RKT_TEST_ROUNDS'] ?? '3'); round++) {
    const { stdout } = await scene.rkt(['run', '--rm', '--net=none', '--interactive', image, '--exec=/bin/sh', '--', '-c', line], { tty: true })
    // script(1) shows the end of its own input as NUL.
    t.regex(stdout.replaceAll(/\r|\0|\^@/g, ''), /\/dev\/pts\/0\n \/dev\/console devpts\n \/proc\/sys proc ro\n$/m)
  }
  t.is(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), pattern)
})

test('B6: a setting and a label go to the real procfs or nowhere, beside a volume that another app changes', async (t) => {
  const share = scene.place.in('attr-share')
  mkdirSync(join(share, 'attr'), { recursive: true })
  const swap = 'cd /share; while :; do ln -sfn /proc/self/attr attr 2>/dev/null; rm -rf attr; mkdir attr; done'
  const volume = `--volume=v,kind=host,source=${share}`
  const racer = await scene.start(['--rm', volume, scene.image, '--mount=volume=v,target=/share', '--exec=/bin/sh', '--', '-c', swap])
  const manifest = (target: string): string => {
    const isolators = [{ name: 'os/unix/sysctl', value: { 'net.ipv4.ip_forward': '1' } }, { name: 'os/linux/oom-score-adj', value: 55 }]
    const app = { exec: ['/bin/sh', '-c', 'cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj; ls -A /share/attr 2>/dev/null | head -n 1'], user: '0', group: '0', isolators }
    const apps = [{ name: 'a', image: { id: scene.image }, app, mounts: [{ volume: 'v', path: '/share' }, { volume: 'w', path: target }] }]
    const path = scene.place.in('b6.json')
    writeFileSync(path, JSON.stringify({ acVersion: '0.8.11', acKind: 'PodManifest', apps, volumes: [{ name: 'v', kind: 'host', source: share }, { name: 'w', kind: 'empty' }] }))
    return `--pod-manifest=${path}`
  }
  try {
    for (let round = 0; round < Number(process.env['RKT_TEST_ROUNDS'] ?? '8'); round++) {
      const { code, stdout } = await scene.rkt(['run', '--rm', '--net=none', manifest('/share/attr')])
      t.true(code === 254 ? stdout === '' : stdout.startsWith('1\n55\n'), `${code} ${stdout}`)
    }
    for (const target of ['/proc/self/attr', '/proc/thread-self', '/proc/sys']) {
      const refused = await scene.rkt(['run', '--rm', '--net=none', manifest(target)])
      t.is(refused.code, 254)
      t.regex(refused.stderr, /the place belongs to the system/)
    }
  } finally {
    process.kill(racer.pid, 'SIGTERM')
    await racer.end
  }
  execFileSync('rm', ['-rf', share])
  mkdirSync(join(share, 'attr'), { recursive: true })
  t.is((await scene.rkt(['run', '--rm', '--net=none', manifest('/share/attr')])).stdout, '1\n55\n')
})

test('B7: a target that another app swaps for a link never leads out of the root', async (t) => {
  const victim = makeVictim('victim-swap')
  const share = scene.place.in('swap-share')
  mkdirSync(join(share, 'x/y'), { recursive: true })
  const swap = `cd /share; while :; do mv x z; ln -s ../../../../../..${victim.path} x; rm x; mv z x; done 2>/dev/null`
  const racer = await scene.start(['--rm', `--volume=v,kind=host,source=${share}`, scene.image, '--mount=volume=v,target=/share', '--exec=/bin/sh', '--', '-c', swap])
  try {
    for (let round = 0; round < Number(process.env['RKT_TEST_ROUNDS'] ?? '10'); round++) {
      await scene.shell('touch /vol/x/y/here', {
        flags: [`--volume=v,kind=host,source=${share}`, '--volume=w,kind=empty'],
        app: ['--mount=volume=v,target=/vol', '--mount=volume=w,target=/vol/x/y'],
      })
      t.true(victim.unchanged())
    }
  } finally {
    process.kill(racer.pid, 'SIGTERM')
    await racer.end
  }
  execFileSync('rm', ['-rf', share])
  mkdirSync(join(share, 'x/y'), { recursive: true })
  const twin = await scene.shell('touch /vol/x/y/here', {
    flags: [`--volume=v,kind=host,source=${share}`, '--volume=w,kind=empty'],
    app: ['--mount=volume=v,target=/vol', '--mount=volume=w,target=/vol/x/y'],
  })
  t.is(twin.code, 0, twin.stderr)
  t.deepEqual(readdirSync(join(share, 'x/y')), [])
})

for (const [kind, lines] of [
  ['a link to /dev/zero', 'ln -sf /dev/zero etc/passwd'],
  ['a link to the host\'s /etc/shadow', 'ln -sf /etc/shadow etc/passwd'],
  ['a link out of the tree', 'ln -sf ../../../../../../../../etc/passwd etc/passwd'],
  ['a directory', 'mkdir etc/passwd'],
  ['a sparse file of 4 GB', 'dd if=/dev/null of=etc/passwd bs=1 seek=4294967296 2>/dev/null'],
  ['a line of 20 MB', 'head -c 20000000 /dev/zero | tr "\\0" a > etc/passwd'],
] as const) {
  test(`B10: etc/passwd as ${kind} gives no user and costs no time`, async (t) => {
    const image = imageBy(lines)
    const fetched = await scene.rkt(['fetch', '--full', image])
    if (fetched.code !== 0) {
      t.regex(fetched.stderr, /limit|ratio|cannot/)
      return
    }
    const startedMs = Date.now()
    const { code, stdout, stderr } = await runImage(fetched.stdout.trim(), 'id', { app: ['--user=daemon'] })
    t.is(code, 254)
    t.is(stdout, '')
    t.notRegex(stderr, /root:|daemon:/)
    t.regex(stderr, /"daemon" user not found|cannot read|limit/)
    t.true(Date.now() - startedMs < 15_000)
    t.is((await runImage(fetched.stdout.trim(), 'echo by number', { app: ['--user=7'] })).stdout, 'by number\n')
  })
}

test('B10: a FIFO as etc/passwd does not stop the start', async (t) => {
  const { code, stderr } = await runImage(imageBy('mkfifo etc/passwd'), 'id', { app: ['--user=app'] })
  t.is(code, 254)
  t.regex(stderr, /etc\/passwd|"app" user not found/)
})

test('B11: a working directory behind a magic link is refused; others end inside', async (t) => {
  for (const directory of ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/self/fd/20', '/proc/self/cwd', '/proc/1/cwd', '/proc/1/root', '/w']) {
    const image = imageBy('ln -s /proc/self/fd/7 w')
    const { code, stdout } = await runImage(image, 'pwd; ls /', { app: [`--working-dir=${directory}`] })
    t.is(code, 254, directory)
    t.is(stdout, '')
  }
  const { stdout } = await scene.shell('pwd; [ . -ef / ] && echo root', { app: ['--working-dir=/sys/fs/cgroup/../../..'] })
  t.is(stdout, '/\nroot\n')
  t.is((await runImage(imageBy('mkdir real; ln -s real w'), 'pwd -P', { app: ['--working-dir=/w'] })).stdout, '/real\n')
})

test('B13: an empty volume over a directory of the image has the mode and owner of the volume, and is empty', async (t) => {
  const image = imageBy('mkdir data; echo x > data/file; chmod 750 data')
  const { stdout } = await runImage(image, 'stat -c "%a %u:%g" /data; ls -A /data', { flags: ['--volume=v,kind=empty,mode=0711,uid=999,gid=999'], app: ['--mount=volume=v,target=/data'] })
  t.is(stdout, '711 999:999\n')
})

test('B13: an empty volume of which nothing more is said has the owner and mode of what it covers, and is empty', async (t) => {
  const image = imageBy('mkdir data; echo x > data/file; chmod 750 data; chown 999:998 data', {}, { keepOwners: true })
  const mount = ['--mount=volume=v,target=/data']
  const { stdout, stderr } = await runImage(image, 'stat -c "%a %u:%g" /data; ls -A /data', { flags: ['--volume=v,kind=empty'], app: mount })
  t.is(stdout, '750 999:998\n', stderr)
  const implicit = imageBy('mkdir data; echo x > data/file; chmod 1777 data', { mountPoints: [{ name: 'data', path: '/data' }] })
  t.is((await runImage(implicit, 'stat -c "%a %u:%g" /data; ls -A /data')).stdout, '1777 0:0\n')
  t.is((await runImage(imageBy('true'), 'stat -c "%a %u:%g" /data', { flags: ['--volume=v,kind=empty'], app: mount })).stdout, '755 0:0\n')
})

test('B14: a source that becomes a link between planning and start is not followed', async (t) => {
  const victim = makeVictim('victim-source')
  const outside = scene.place.in('outside')
  mkdirSync(outside)
  const uuidFile = scene.place.in('b14')
  const swapping = `mkdir -p $DIR/s/x; (while :; do ln -sfn ${victim.path} $DIR/s/l; mv -T $DIR/s/x $DIR/s/y; mv -T $DIR/s/l $DIR/s/x; rm -f $DIR/s/x; mv -T $DIR/s/y $DIR/s/x; done) 2>/dev/null & p=$!
    for i in 1 2 3 4 5 6 7 8; do $RKT run --rm --net=none --uuid-file-save=${uuidFile} --volume=v,kind=host,source=$DIR/s/x $IMAGE --mount=volume=v,target=/data --exec=/bin/ls -- /data 2>&1; done; kill $p`
  const { stdout } = await scene.bash(swapping)
  // Planning may have resolved the link itself, as the administrator's command allows; a swap after that must fail the start.
  for (const line of stdout.split('\n')) t.regex(line, /^$|^d$|^hello$|^run: |^stage1: cannot open ".*": Too many levels|^stage1: cannot open ".*": (Symbolic link loop|No such file or directory)$/, stdout)
  t.true(victim.unchanged())
})

test('B16: no way leads from an app to the host\'s root', async (t) => {
  const marker = scene.place.in('host-marker')
  writeFileSync(marker, '')
  const line = [
    `for p in /proc/1/root /proc/1/cwd /proc/self/root /.. /../.. /proc/self/fd/0/.. ; do [ -e $p${marker} ] && echo reached by $p; done`,
    'mkdir /jail; for i in 1 2 3 4; do chroot /jail true 2>/dev/null; done',
    'ls -di /.. / | sed "s/^ *//" | cut -d" " -f1 | uniq | wc -l',
    `for f in /proc/self/fd/*; do [ -e $f/..${marker} ] && echo by $f; done; echo end`,
  ].join('\n')
  for (const flags of [[], ['--private-users=false'], ['--insecure-options=capabilities,seccomp,paths']] as const) {
    t.is((await scene.shell(line, { flags })).stdout, '1\nend\n', flags.join(' '))
  }
})

test('B17: what an app mounts with all capabilities does not show on the host', async (t) => {
  const source = scene.place.in('propagation')
  mkdirSync(source)
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', source])
  execFileSync('mount', ['--make-rshared', source])
  mkdirSync(join(source, 'm'))
  const before = mountsBelow(source).length
  const { stdout, stderr } = await scene.shell('mount -t tmpfs none /data/m && touch /data/m/x && echo mounted; sleep 0.2', {
    flags: [`--volume=v,kind=host,source=${source}`, '--insecure-options=capabilities,seccomp,paths'],
    app: ['--mount=volume=v,target=/data'],
  })
  t.is(stdout, 'mounted\n', stderr)
  t.is(mountsBelow(source).length, before)
  t.deepEqual(readdirSync(join(source, 'm')), [])
})
