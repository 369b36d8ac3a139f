import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { list } from 'tar'
import { buildAci, unpackAci, type BuildAciOptions } from '../../../src/store/index.ts'

const manifest = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  name: 'example.com/built',
  labels: [{ name: 'os', value: 'linux' }, { name: 'arch', value: 'amd64' }],
  app: { exec: ['/bin/true'], user: '0', group: '0' },
}

const longName = 'n'.repeat(200)

/** A directory with `manifest` and `root`. */
function workbench(t: ExecutionContext): string {
  const directory = mkdtempSync('/tmp/rkt-test-build-')
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'manifest'), JSON.stringify(manifest))
  mkdirSync(join(directory, 'root'))
  return directory
}

/** Everything that a root can hold. */
function fill(root: string): void {
  mkdirSync(join(root, 'bin'), { mode: 0o755 })
  writeFileSync(join(root, 'bin/program'), 'x'.repeat(100_000), { mode: 0o755 })
  linkSync(join(root, 'bin/program'), join(root, 'bin/same'))
  symlinkSync('/bin/program', join(root, 'link'))
  writeFileSync(join(root, 'owned'), 'owned')
  chownSync(join(root, 'owned'), 1000, 3_000_000)
  chmodSync(join(root, 'owned'), 0o4755)
  writeFileSync(join(root, 'empty'), '')
  writeFileSync(join(root, 'ünï'), 'name')
  mkdirSync(join(root, longName), { recursive: true })
  writeFileSync(join(root, longName, longName), 'long')
  symlinkSync(`/${longName}`, join(root, 'longlink'))
  mkdirSync(join(root, 'tmp'))
  chmodSync(join(root, 'tmp'), 0o1777)
  execFileSync('mkfifo', [join(root, 'fifo')])
  execFileSync('mknod', [join(root, 'zero'), 'c', '1', '5'])
}

function options(directory: string, change: Partial<BuildAciOptions> = {}): BuildAciOptions {
  const base = { manifestPath: join(directory, 'manifest'), rootfs: join(directory, 'root'), out: join(directory, 'out.aci') }
  return { ...base, compression: 'gzip', overwrite: false, ...change }
}

test('buildAci() gives the same bytes for the same input, in another directory and at another time', async (t) => {
  const [first, second] = [workbench(t), workbench(t)]
  fill(join(first, 'root'))
  execFileSync('cp', ['-a', `${first}/root/.`, `${second}/root`])
  utimesSync(join(second, 'root/empty'), 1_000_000, 1_000_000)
  const built = await buildAci(options(first))
  t.deepEqual(await buildAci(options(second)), built)
  t.deepEqual(readFileSync(join(second, 'out.aci')), readFileSync(join(first, 'out.aci')))
  t.deepEqual([...readFileSync(join(first, 'out.aci')).subarray(4, 8)], [0, 0, 0, 0])
})

test('buildAci() names the image by the uncompressed archive, however it is compressed', async (t) => {
  const directory = workbench(t)
  fill(join(directory, 'root'))
  const packed = await buildAci(options(directory))
  const plain = await buildAci(options(directory, { compression: 'none', out: join(directory, 'plain.aci') }))
  t.is(packed.id, plain.id)
  const archive = readFileSync(join(directory, 'plain.aci'))
  t.is(String(plain.id), `sha512-${createHash('sha512').update(archive).digest('hex').slice(0, 64)}`)
  t.deepEqual(gunzipSync(readFileSync(join(directory, 'out.aci'))), archive)
  t.is(plain.sizeBytes, archive.byteLength)
})

test('buildAci() makes images that actool accepts', async (t) => {
  const directory = workbench(t)
  fill(join(directory, 'root'))
  await buildAci(options(directory))
  await buildAci(options(directory, { compression: 'none', out: join(directory, 'plain.aci') }))
  t.notThrows(() => execFileSync('actool', ['validate', join(directory, 'out.aci'), join(directory, 'plain.aci')], { stdio: 'pipe' }))
})

test('buildAci() keeps owners, modes, links, devices and names, and no time', async (t) => {
  const directory = workbench(t)
  fill(join(directory, 'root'))
  await buildAci(options(directory))
  const lines = execFileSync('tar', ['--numeric-owner', '--full-time', '--utc', '-tvf', join(directory, 'out.aci')]).toString().trimEnd().split('\n')
  const found = new Map(lines.map((line) => line.split(/\s+/)).map(([mode, owner, size, , , name]) => [name?.replace(longName, 'LONG'), [mode, owner, size]]))
  t.deepEqual(found.get('rootfs/bin/program'), ['-rwxr-xr-x', '0/0', '100000'])
  t.is(found.get('rootfs/bin/same')?.[0], 'hrwxr-xr-x')
  t.is(found.get('rootfs/link')?.[0], 'lrwxrwxrwx')
  t.deepEqual(found.get('rootfs/owned'), ['-rwsr-xr-x', '1000/3000000', '5'])
  t.is(found.get('rootfs/tmp/')?.[0], 'drwxrwxrwt')
  t.is(found.get('rootfs/fifo')?.[0], 'prw-r--r--')
  t.deepEqual(found.get('rootfs/zero'), ['crw-r--r--', '0/0', '1,5'])
  t.true(lines.every((line) => line.includes(' 1970-01-01 00:00:00 ')))
})

test('buildAci() writes an archive that GNU tar turns into the same tree', async (t) => {
  const directory = workbench(t)
  fill(join(directory, 'root'))
  await buildAci(options(directory))
  mkdirSync(join(directory, 'unpacked'))
  execFileSync('tar', ['-xpf', join(directory, 'out.aci'), '-C', join(directory, 'unpacked')])
  const listing = (root: string): string => execFileSync('find', ['.', '-printf', '%p %M %U %G %n %l\n'], { cwd: root }).toString().split('\n').toSorted().join('\n')
  t.is(listing(join(directory, 'unpacked/rootfs')), listing(join(directory, 'root')))
  t.is(readFileSync(join(directory, 'unpacked/rootfs', longName, longName), 'utf8'), 'long')
})

test('buildAci() makes images that the unpacker takes, under the same ID', async (t) => {
  const directory = workbench(t)
  fill(join(directory, 'root'))
  execFileSync('setcap', ['cap_net_raw+ep', join(directory, 'root/bin/program')])
  const built = await buildAci(options(directory))
  mkdirSync(join(directory, 'tree'))
  const unpacked = await unpackAci({ blobPath: join(directory, 'out.aci'), destination: join(directory, 'tree'), signal: AbortSignal.timeout(60_000) })
  t.is(unpacked.imageID, built.id)
  t.is(readFileSync(join(directory, 'tree/rootfs', longName, longName), 'utf8'), 'long')
  t.regex(execFileSync('getcap', [join(directory, 'tree/rootfs/bin/same')]).toString(), /cap_net_raw=ep/)
})

test('buildAci() puts the manifest first, byte for byte, and members in the order of their bytes', async (t) => {
  const directory = workbench(t)
  const text = `${JSON.stringify(manifest, null, '\t')}\n`
  writeFileSync(join(directory, 'manifest'), text)
  for (const name of ['b', 'a', 'B', 'a.b', 'é', '~']) writeFileSync(join(directory, 'root', name), '')
  mkdirSync(join(directory, 'root/a-'))
  writeFileSync(join(directory, 'root/a-/x'), '')
  await buildAci(options(directory))
  const names: string[] = []
  await list({ file: join(directory, 'out.aci'), onReadEntry: (entry) => void names.push(entry.path) })
  t.deepEqual(names, ['manifest', ...['', 'B', 'a', 'a-/', 'a-/x', 'a.b', 'b', '~', 'é'].map((name) => `rootfs/${name}`)])
  t.is(execFileSync('tar', ['-xOf', join(directory, 'out.aci'), 'manifest']).toString(), text)
})

test('buildAci() keeps capabilities of files and user attributes, and no others', async (t) => {
  const directory = workbench(t)
  const file = join(directory, 'root/ping')
  writeFileSync(file, 'ping', { mode: 0o755 })
  execFileSync('setcap', ['cap_net_raw+ep', file])
  execFileSync('setfattr', ['-n', 'trusted.secret', '-v', 'x', file])
  execFileSync('setfattr', ['-n', 'user.note', '-v', '0x00ff0a3d', file])
  await buildAci(options(directory))
  const listing = execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-tvvf', join(directory, 'out.aci')]).toString()
  t.regex(listing, /x: 20 security\.capability/)
  t.notRegex(listing, /trusted/)
  mkdirSync(join(directory, 'unpacked'))
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-xpf', join(directory, 'out.aci'), '-C', join(directory, 'unpacked')])
  t.regex(execFileSync('getcap', [join(directory, 'unpacked/rootfs/ping')]).toString(), /cap_net_raw=ep/)
  t.regex(execFileSync('getfattr', ['--absolute-names', '-d', '-e', 'hex', join(directory, 'unpacked/rootfs/ping')]).toString(), /user\.note=0x00ff0a3d/)
})

test('buildAci() takes the time of members from its caller', async (t) => {
  const directory = workbench(t)
  await buildAci(options(directory, { mtimeSeconds: 1_700_000_000 }))
  t.regex(execFileSync('tar', ['--full-time', '--utc', '-tvf', join(directory, 'out.aci')]).toString(), /2023-11-14 22:13:20/)
})

test('buildAci() refuses a bad manifest and leaves nothing', async (t) => {
  const directory = workbench(t)
  writeFileSync(join(directory, 'manifest'), '{"acKind":"ImageManifest"}')
  await t.throwsAsync(buildAci(options(directory)), { code: 'invalid-manifest', message: /\$\.acVersion: missing; \$\.name: missing/ })
  writeFileSync(join(directory, 'manifest'), '{')
  await t.throwsAsync(buildAci(options(directory)), { code: 'invalid-json' })
  await t.throwsAsync(buildAci(options(directory, { manifestPath: join(directory, 'none') })), { code: 'io', message: /ENOENT/ })
  t.deepEqual(readdirSync(directory).toSorted(), ['manifest', 'root'])
})

test('buildAci() replaces an image only when it is told to', async (t) => {
  const directory = workbench(t)
  writeFileSync(join(directory, 'out.aci'), 'old')
  await t.throwsAsync(buildAci(options(directory)), { code: 'already-exists', message: 'output ACI file exists (try --overwrite)' })
  t.is(readFileSync(join(directory, 'out.aci'), 'utf8'), 'old')
  await buildAci(options(directory, { overwrite: true }))
  t.not(readFileSync(join(directory, 'out.aci'), 'utf8'), 'old')
  t.deepEqual(readdirSync(directory).toSorted(), ['manifest', 'out.aci', 'root'])
})

test('buildAci() refuses a bad name, a bad root, and an output inside its own root', async (t) => {
  const directory = workbench(t)
  await t.throwsAsync(buildAci(options(directory, { out: join(directory, 'out.tar') })), { code: 'usage', message: /^extension must be \.aci \(given .*out\.tar\)$/ })
  await t.throwsAsync(buildAci(options(directory, { rootfs: join(directory, 'manifest') })), { code: 'io', message: /not a directory/ })
  await t.throwsAsync(buildAci(options(directory, { rootfs: join(directory, 'none') })), { code: 'io' })
  symlinkSync(join(directory, 'root'), join(directory, 'alias'))
  await t.throwsAsync(buildAci(options(directory, { out: join(directory, 'alias/out.aci') })), { code: 'usage', message: /its own root directory/ })
  t.deepEqual(readdirSync(join(directory, 'root')), [])
})

test('buildAci() refuses a socket and a name that is not UTF-8, and leaves nothing', async (t) => {
  const directory = workbench(t)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(directory, 'root/socket'), resolve))
  await t.throwsAsync(buildAci(options(directory)), { code: 'invalid-archive', message: /root\/socket": it is a socket/ })
  await new Promise((resolve) => server.close(resolve))
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/root/`), Buffer.from([0x66, 0xff])]), '')
  await t.throwsAsync(buildAci(options(directory)), { code: 'invalid-archive', message: /not UTF-8/ })
  t.false(existsSync(join(directory, 'out.aci')))
  t.deepEqual(readdirSync(directory).toSorted(), ['manifest', 'root'])
})

test('buildAci() stops when it is interrupted, and leaves nothing', async (t) => {
  const directory = workbench(t)
  for (let index = 0; index < 100; index += 1) writeFileSync(join(directory, 'root', String(index)), 'x'.repeat(100_000))
  const controller = new AbortController()
  const building = buildAci(options(directory, { signal: controller.signal }))
  const reason = new Error('enough')
  controller.abort(reason)
  t.is(await t.throwsAsync(building), reason)
  t.deepEqual(readdirSync(directory).toSorted(), ['manifest', 'root'])
})
