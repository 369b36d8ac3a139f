import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { openPodScene, shellWords } from '../support/pod-scene.ts'

const scene = await openPodScene({
  manifest: { app: { mountPoints: [{ name: 'declared', path: '/declared' }, { name: 'fixed', path: '/fixed', readOnly: true }] } },
  files: { 'fixed/of-image': 'x', 'real/inside': 'x' },
})
test.after.always(() => scene[Symbol.dispose]())

const directory = (name: string): string => {
  const path = scene.place.in(name)
  mkdirSync(path)
  return path
}

test('a host volume shows the host\'s owners, and what the app writes belongs to the ids that it uses', async (t) => {
  const source = directory('owners')
  writeFileSync(`${source}/theirs`, 'x')
  chownSync(`${source}/theirs`, 1000, 1001)
  const { stdout } = await scene.shell('stat -c "%u:%g" /data /data/theirs; echo new > /data/root; touch /data/other; chown 33:34 /data/other', {
    flags: [`--volume=v,kind=host,source=${source}`],
    app: ['--mount=volume=v,target=/data'],
  })
  t.is(stdout, '0:0\n1000:1001\n')
  t.is(statSync(`${source}/root`).uid, 0)
  t.deepEqual([statSync(`${source}/other`).uid, statSync(`${source}/other`).gid], [33, 34])
})

test('mode bits of a host volume hold for other users', async (t) => {
  const source = directory('closed')
  chmodSync(source, 0o700)
  const { stdout } = await scene.shell('ls /data 2>&1', { flags: [`--volume=v,kind=host,source=${source}`], app: ['--mount=volume=v,target=/data', '--user=1000', '--group=1000'] })
  t.is(stdout, 'ls: can\'t open \'/data\': Permission denied\n')
})

test('B14: a read-only volume is read-only down to its submounts, a recursive one shows them, another does not', async (t) => {
  const source = directory('tree')
  mkdirSync(`${source}/sub`)
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', `${source}/sub`])
  writeFileSync(`${source}/sub/file`, 'below')
  const mount = ['--mount=volume=v,target=/data']
  const readOnly = await scene.shell('cat /data/sub/file; touch /data/x /data/sub/x 2>&1', { flags: [`--volume=v,kind=host,source=${source},readOnly=true`], app: mount })
  t.is(readOnly.stdout, 'belowtouch: /data/x: Read-only file system\ntouch: /data/sub/x: Read-only file system\n')
  const writable = await scene.shell('touch /data/sub/new; ls /data/sub', { flags: [`--volume=v,kind=host,source=${source}`], app: mount })
  t.is(writable.stdout, 'file\nnew\n')
  t.is(statSync(`${source}/sub/new`).uid, 0)
  const flat = await scene.shell('ls /data/sub', { flags: [`--volume=v,kind=host,source=${source},recursive=false`], app: mount })
  t.is(flat.stdout, '')
})

test('a file can be a volume; what is missing above its target is made', async (t) => {
  const file = scene.place.in('one-file')
  writeFileSync(file, 'host\n')
  const { stdout } = await scene.shell('cat /very/deep/file; echo app > /very/deep/file', { flags: [`--volume=v,kind=host,source=${file}`], app: ['--mount=volume=v,target=/very/deep/file'] })
  t.is(stdout, 'host\n')
  t.is(readFileSync(file, 'utf8'), 'app\n')
})

test('a source that does not exist is named, and the exit status is 1', async (t) => {
  const { code, stderr, uuid } = await scene.shell('true', { flags: ['--volume=v,kind=host,source=/no/such'], app: ['--mount=volume=v,target=/data'] })
  t.is(code, 1)
  t.regex(stderr, /Failed to stat \/no\/such: No such file or directory/)
  t.false(scene.leftovers([uuid]).some((path) => uuid !== '' && path.includes(uuid) && path.includes('cgroup')))
})

test('a source that is a link is followed on the host', async (t) => {
  const source = directory('real-source')
  writeFileSync(`${source}/found`, '')
  symlinkSync(source, scene.place.in('link'))
  t.is((await scene.shell('ls /data', { flags: [`--volume=v,kind=host,source=${scene.place.in('link')}`], app: ['--mount=volume=v,target=/data'] })).stdout, 'found\n')
})

test('mount points of the image without a volume get an empty one, with a warning', async (t) => {
  const { stdout, stderr } = await scene.shell('touch /declared/x && ls -A /declared; stat -c "%a %u:%g" /declared; touch /fixed/x 2>&1; ls -A /fixed')
  t.regex(stderr, /no volume specified for mount point "declared", implicitly creating an "empty" volume/)
  t.is(stdout, 'x\n755 0:0\ntouch: /fixed/x: Read-only file system\n')
})

test('an empty volume has the owner and mode asked for, and is one for all its apps', async (t) => {
  const app = (name: string, line: string): readonly string[] => [scene.image, `--name=${name}`, '--mount=volume=v,target=/share', ...shellWords(line)]
  const words = [...app('a', 'stat -c "%a %u:%g" /share; echo from-a > /share/x'), '---', ...app('b', 'while ! [ -s /share/x ]; do sleep 0.05; done; cat /share/x')]
  const { code, stdout } = await scene.rkt(['run', '--rm', '--net=none', '--volume=v,kind=empty,mode=2770,uid=1000,gid=1001', ...words])
  t.is(code, 0)
  t.regex(stdout, /a\[\d+\]: 2770 1000:1001$/m)
  t.regex(stdout, /b\[\d+\]: from-a$/m)
})

test('a target with .. stays in the root, and one over a link of the image goes where the link leads inside', async (t) => {
  const source = directory('stays')
  writeFileSync(`${source}/mine`, '')
  const flags = [`--volume=v,kind=host,source=${source}`]
  t.is((await scene.shell('ls /data', { flags, app: ['--mount=volume=v,target=/../../data'] })).stdout, 'mine\n')
  t.false(existsSync('/data'))
})

test('a volume over /etc is not written to by the runtime, so a read-only one will do', async (t) => {
  const source = directory('etc')
  writeFileSync(`${source}/passwd`, 'root:x:0:0:root:/root:/bin/sh\n')
  for (const more of ['', ',readOnly=true']) {
    const { code, stdout, stderr } = await scene.shell('ls /etc', { flags: [`--volume=v,kind=host,source=${source}${more}`], app: ['--mount=volume=v,target=/etc'] })
    t.is(code, 0, stderr)
    t.is(stdout, 'passwd\n')
  }
  t.deepEqual(readdirSync(source), ['passwd'])
})

test('places of the system take no volume', async (t) => {
  for (const target of ['/', '/proc', '/proc/self/attr', '/dev/pts']) {
    const { code, stderr } = await scene.shell('true', { flags: ['--volume=v,kind=empty'], app: [`--mount=volume=v,target=${target}`] })
    t.is(code, 254)
    t.regex(stderr, /the place belongs to the system/)
  }
})

test('a device node is usable as a volume, read-only if the volume is', async (t) => {
  const flags = (source: string): readonly string[] => ['--private-users=false', `--volume=v,kind=host,source=${source}`]
  const app = ['--mount=volume=v,target=/dev/given']
  const readable = await scene.shell('(: < /dev/given) && echo opened; (: > /dev/given) 2>/dev/null || echo refused', { flags: flags('/dev/fuse,readOnly=true'), app })
  t.is(readable.stdout, 'opened\nrefused\n')
  t.is((await scene.shell(': <> /dev/given && echo opened', { flags: flags('/dev/fuse'), app })).stdout, 'opened\n')
  const mapped = await scene.shell('head -c 1 /dev/given | wc -c', { flags: ['--volume=v,kind=host,source=/dev/zero'], app })
  t.is(mapped.stdout, '1\n')
  t.regex(mapped.stderr, /device "\/dev\/zero" is shown with unmapped owners/)
})

test('a writable source whose owners cannot be mapped is refused with the ways out; read-only it is shown with a warning', async (t) => {
  const app = ['--mount=volume=v,target=/data']
  const writable = await scene.shell('true', { flags: ['--volume=v,kind=host,source=/proc/sys/kernel'], app })
  t.is(writable.code, 254)
  t.regex(writable.stderr, /type proc cannot be mapped[^]*--private-users=false/)
  const shown = await scene.shell('cat /data/ostype', { flags: ['--volume=v,kind=host,source=/proc/sys/kernel,readOnly=true'], app })
  t.is(shown.stdout, 'Linux\n')
  t.regex(shown.stderr, /shown with unmapped owners/)
})
