import test from 'ava'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, chmodSync, chownSync, closeSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { isRktError, libraryFile, RktError } from '../../../src/base/index.ts'
import { treeHash, unpackAci } from '../../../src/store/unpack.ts'
import { bzip2, xz, zstd } from '../../support/compressors.ts'
import { rawAci } from '../../support/raw-tar.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temp.ts'
import { snapshot } from '../../support/unpack-scene.ts'
import { readStatus, waitForUnpacker, waitUntilGone } from '../../support/unpacker-child.ts'

const signal = new AbortController().signal
const limitArgs = ['path=3840', 'name=255', 'depth=256', 'entries=100', 'header=1048576', 'manifest=4194304', 'unpacked=1000000', 'ratio=400'].map((limit) => `--limit-${limit}`)

/** A small real tree: what Debian documents, and one of everything that an archive can hold. */
function makeTree(path: string): void {
  const rootfs = join(path, 'rootfs')
  mkdirSync(rootfs, { recursive: true })
  writeFileSync(join(path, 'manifest'), '{"acKind":"ImageManifest"}')
  execFileSync('cp', ['-a', '/usr/share/doc/bash', '/usr/share/doc/gcc-12-base', '/usr/share/zoneinfo', '/etc/alternatives', rootfs])
  writeFileSync(join(rootfs, 'setuid'), 'x'.repeat(100_000))
  chownSync(join(rootfs, 'setuid'), 1000, 2000)
  chmodSync(join(rootfs, 'setuid'), 0o6755)
  linkSync(join(rootfs, 'setuid'), join(rootfs, 'hardlink'))
  symlinkSync('/nowhere', join(rootfs, 'dangling'))
  execFileSync('mkfifo', ['-m', '0620', join(rootfs, 'fifo')])
  mkdirSync(join(rootfs, 'closed'), { mode: 0o500 })
  writeFileSync(join(rootfs, 'closed', 'ü 名前\n'), '')
  mkdirSync(join(rootfs, 'sticky'))
  chmodSync(join(rootfs, 'sticky'), 0o1777)
  execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(rootfs, 'sticky')])
  execFileSync('setcap', ['cap_net_bind_service=ep', join(rootfs, 'hardlink')])
}

function archive(place: TemporaryDirectory, format: string): Buffer {
  const args = ['--create', `--format=${format}`, '--xattrs', '--xattrs-include=*', `--directory=${place.in('source')}`, '.']
  return execFileSync('tar', args, { maxBuffer: 1 << 30 })
}

function attributesOf(path: string): string {
  return execFileSync('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '.'], { cwd: path, encoding: 'utf8' })
}

for (const format of ['pax', 'gnu']) {
  test(`unpackAci() makes the same tree as GNU tar from its ${format} format`, async (t) => {
    using place = temporaryDirectory()
    makeTree(place.in('source'))
    const blobPath = place.in('image.aci')
    const tar = archive(place, format)
    writeFileSync(blobPath, gzipSync(tar))
    for (const name of ['ours', 'theirs']) mkdirSync(place.in(name))
    const image = await unpackAci({ blobPath, destination: place.in('ours'), signal })
    execFileSync('tar', ['--extract', '--gzip', '--same-owner', '--same-permissions', '--xattrs', '--xattrs-include=*', `--file=${blobPath}`, `--directory=${place.in('theirs')}`])
    const [ours, theirs] = ['ours', 'theirs'].map((name) => snapshot(place.in(name, 'rootfs')).map((line) => line.slice(place.in(name).length)))
    t.true((ours ?? []).length > 500)
    t.deepEqual(ours, theirs)
    t.is(attributesOf(place.in('ours', 'rootfs')), attributesOf(place.in('theirs', 'rootfs')))
    t.deepEqual(readdirSync(place.in('ours')), ['rootfs'])
    t.is<string, string>(image.imageID, `sha512-${createHash('sha512').update(tar).digest('hex').slice(0, 64)}`)
    t.is(image.unpackedBytes, tar.byteLength)
    t.is(Buffer.from(image.manifest).toString(), '{"acKind":"ImageManifest"}')
  })
}

test('unpackAci() gives the same image and tree whatever compresses the archive', async (t) => {
  using place = temporaryDirectory()
  const tar = rawAci(Array.from({ length: 50 }, (_, i) => ({ name: `rootfs/${i}`, content: String(i).repeat(20_000) })))
  const results = new Set<string>()
  for (const [name, blob] of Object.entries({ tar, gz: gzipSync(tar), bz2: bzip2(tar), xz: xz(tar), zst: zstd(tar), twice: Buffer.concat([zstd(tar.subarray(0, 1000)), zstd(tar.subarray(1000))]) })) {
    writeFileSync(place.in('blob'), blob)
    mkdirSync(place.in(name))
    const image = await unpackAci({ blobPath: place.in('blob'), destination: place.in(name), signal })
    results.add(`${image.imageID} ${image.treeHash} ${image.entries} ${image.unpackedBytes}`)
    writeFileSync(place.in('blob'), Buffer.concat([blob, Buffer.from('rubbish')]))
    await t.throwsAsync(unpackAci({ blobPath: place.in('blob'), signal }), { code: 'invalid-archive' }, name)
    writeFileSync(place.in('blob'), blob.subarray(0, -1))
    await t.throwsAsync(unpackAci({ blobPath: place.in('blob'), signal }), { code: 'invalid-archive' }, name)
  }
  t.is(results.size, 1)
})

test('unpackAci() without a destination gives the manifest and makes nothing', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('blob'), rawAci([{ name: 'rootfs/x', content: 'x' }]))
  const image = await unpackAci({ blobPath: place.in('blob'), signal })
  t.regex(Buffer.from(image.manifest).toString(), /example\.com\/raw/)
  t.is(image.treeHash, undefined)
  t.deepEqual(readdirSync(place.path), ['blob'])
})

test('the unpacker lets an ordinary user look into an image, and nothing more', (t) => {
  using place = temporaryDirectory()
  chmodSync(place.path, 0o755)
  writeFileSync(place.in('blob'), rawAci([]))
  mkdirSync(place.in('tree'), { mode: 0o777 })
  const fds = [openSync(place.in('blob'), 'r'), openSync(place.in('tree'), 'r')] as const
  const options = { uid: 65_534, gid: 65_534, env: {}, encoding: 'utf8' } as const
  const look = spawnSync(libraryFile('unpack'), ['aci', '--inspect', ...limitArgs], { ...options, stdio: [fds[0], 'ignore', 'pipe', 'pipe'] })
  t.is(look.status, 0, look.stderr)
  t.regex(look.output[3] ?? '', /^\{"sha512":"[0-9a-f]{128}"/)
  const unpack = spawnSync(libraryFile('unpack'), ['aci', ...limitArgs], { ...options, stdio: [fds[0], 'ignore', 'pipe', 'pipe', fds[1]] })
  t.is(unpack.status, 3)
  t.is(unpack.stderr, 'cannot unpack as an ordinary user; expected root\n')
  for (const fd of fds) closeSync(fd)
})

test('the unpacker reads no byte of an image when a step of its sandbox fails', (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('blob'), rawAci([{ name: 'rootfs/x' }]))
  mkdirSync(place.in('tree'))
  const fds = [openSync(place.in('blob'), 'r'), openSync(place.in('tree'), 'r')] as const
  const result = spawnSync('unshare', ['--user', '--map-root-user', libraryFile('unpack'), 'aci', ...limitArgs], {
    encoding: 'utf8',
    stdio: [fds[0], 'ignore', 'pipe', 'pipe', fds[1]],
  })
  for (const fd of fds) closeSync(fd)
  t.is(result.status, 3)
  t.regex(result.stderr, /^cannot make a sandbox: [^\n]+\n$/)
  t.is(result.output[3], '')
  t.deepEqual(readdirSync(place.in('tree')), [])
})

// Finds its unpacker among the children of this process: no other test may run one.
test.serial('the unpacker runs without privileges on the host, without network, and sees only its destination', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('blob'), rawAci([{ name: 'rootfs/big', content: Buffer.alloc(150 << 20) }]))
  mkdirSync(place.in('tree'))
  const controller = new AbortController()
  const done = unpackAci({ blobPath: place.in('blob'), destination: place.in('tree'), signal: controller.signal })
  const pid = await waitForUnpacker(process.pid)
  process.kill(pid, 'SIGSTOP')
  const status = readStatus(pid)
  const link = (name: string): string => readlinkSync(`/proc/${pid}/${name}`)
  t.like(status, { Uid: '1073741824\t1073741824\t1073741824\t1073741824', Groups: '', NoNewPrivs: '1', CapEff: '000000008000001f', CapInh: '0000000000000000' })
  t.is(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().replace(/\s+/g, ' '), '0 1073741824 1073741824')
  for (const kind of ['user', 'mnt', 'net', 'ipc', 'uts']) t.not(link(`ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`), kind)
  t.is(readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n').length, 1)
  t.regex(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), / \/ rw,nosuid,nodev,noexec/)
  t.deepEqual(readdirSync(`/proc/${pid}/root`).filter((name) => name !== 'rootfs'), [])
  t.is(readFileSync(`/proc/${pid}/environ`, 'utf8'), '')
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => link(`fd/${fd}`)).filter((target) => !target.startsWith('socket:'))
  t.deepEqual(open.toSorted().filter((target) => !target.startsWith('/rootfs')), ['/', '/dev/null', place.in('blob')].toSorted())
  t.regex(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max data size +150994944 +150994944/)
  controller.abort(new RktError('cancelled', 'interrupted'))
  await t.throwsAsync(done, { code: 'cancelled' })
  t.true(await waitUntilGone(pid))
})

test('unpackAci() ends the unpacker at its deadline, and starts none when the signal was aborted before', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('blob'), rawAci([{ name: 'rootfs/big', content: Buffer.alloc(150 << 20) }]))
  mkdirSync(place.in('tree'))
  await t.throwsAsync(unpackAci({ blobPath: place.in('blob'), destination: place.in('tree'), limits: { unpackMs: 1 }, signal }), { code: 'timeout' })
  const aborted = AbortSignal.abort(new RktError('cancelled', 'interrupted'))
  await t.throwsAsync(unpackAci({ blobPath: place.in('blob'), destination: place.in('tree'), signal: aborted }), { code: 'cancelled' })
})

test('unpackAci() refuses a destination that is not empty, a listing that exists, and an image that is no file', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('blob'), rawAci([]))
  mkdirSync(place.in('tree', 'rootfs'), { recursive: true })
  mkdirSync(place.in('empty'))
  await t.throwsAsync(unpackAci({ blobPath: place.in('blob'), destination: place.in('tree'), signal }), { code: 'io', message: /not empty/ })
  await t.throwsAsync(unpackAci({ blobPath: place.in('blob'), destination: place.in('empty'), listingPath: place.in('blob'), signal }), { code: 'io', message: /EEXIST/ })
  await t.throwsAsync(unpackAci({ blobPath: place.in('tree'), destination: place.in('empty'), signal }), { code: 'io', message: /not a regular file/ })
  await t.throwsAsync(unpackAci({ blobPath: place.in('missing'), signal }), { code: 'io', message: /ENOENT/ })
})

test('unpackAci() names a file system that is full, and one without idmapped mounts', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('blob'), rawAci([{ name: 'rootfs/big', content: Buffer.alloc(2 << 20) }]))
  for (const [type, message] of [['ramfs', /\(ramfs\) has no idmapped mounts/], ['tmpfs', /"rootfs\/big": write: ENOSPC/]] as const) {
    mkdirSync(place.in(type))
    execFileSync('mount', ['-t', type, '-o', type === 'tmpfs' ? 'size=1M' : 'mode=755', type, place.in(type)])
    await t.throwsAsync(unpackAci({ blobPath: place.in('blob'), destination: place.in(type), signal }), { code: 'io', message })
  }
})

test('messages of the unpacker show names of the image escaped and cut', async (t) => {
  using place = temporaryDirectory()
  for (const [name, shown] of [['a\x1b[31m\n\x07', 'a\\x1b[31m\\x0a\\x07'], ['a\u202eb', 'a\\u{202e}b'], ['"\\', '\\"\\\\']] as const) {
    writeFileSync(place.in('blob'), rawAci([{ name }]))
    const error: unknown = await unpackAci({ blobPath: place.in('blob'), signal }).catch((reason: unknown) => reason)
    t.is(isRktError(error) ? error.message : '', `cannot unpack entry "${shown}": not part of an image; expected "manifest" and "rootfs/" only`)
  }
})

test('treeHash() finds every path that differs from the listing', async (t) => {
  using place = temporaryDirectory()
  makeTree(place.in('source'))
  writeFileSync(place.in('blob'), archive(place, 'pax'))
  mkdirSync(place.in('tree'))
  const listingPath = place.in('listing')
  const image = await unpackAci({ blobPath: place.in('blob'), destination: place.in('tree'), listingPath, signal })
  t.is<string | undefined, string | undefined>(createHash('sha512').update(readFileSync(listingPath)).digest('hex'), image.treeHash)
  const rootfs = (name: string): string => place.in('tree', 'rootfs', name)
  t.deepEqual(await treeHash({ path: place.in('tree'), listingPath, signal }), { treeHash: image.treeHash ?? '', differences: [], differenceCount: 0 })
  t.is<string | undefined, string | undefined>((await treeHash({ path: place.in('tree'), signal })).treeHash, image.treeHash)
  const changes: Readonly<Record<string, () => void>> = {
    setuid: () => appendFileSync(rootfs('setuid'), 'x'),
    sticky: () => execFileSync('setfattr', ['-n', 'user.note', '-v', 'other', rootfs('sticky')]),
    'closed/new': () => writeFileSync(rootfs('closed/new'), ''),
    fifo: () => rmSync(rootfs('fifo')),
    bash: () => chmodSync(rootfs('bash'), 0o700),
  }
  for (const change of Object.values(changes)) change()
  const found = await treeHash({ path: place.in('tree'), listingPath, signal })
  t.not(found.treeHash, image.treeHash)
  t.deepEqual(
    found.differences.map(({ path, state }) => `${state} ${path}`),
    ['changed rootfs/bash', 'added rootfs/closed/new', 'missing rootfs/fifo', 'changed rootfs/hardlink', 'changed rootfs/setuid', 'changed rootfs/sticky'],
  )
  writeFileSync(listingPath, 'f\n')
  await t.throwsAsync(treeHash({ path: place.in('tree'), listingPath, signal }), { code: 'corrupted' })
})

test('the unpacker is position independent and binds everything before it starts', (t) => {
  const elf = execFileSync('readelf', ['--wide', '--file-header', '--program-headers', '--dynamic', libraryFile('unpack')], { encoding: 'utf8' })
  t.regex(elf, /Type: +DYN \(Position-Independent Executable file\)/)
  t.regex(elf, /GNU_RELRO/)
  t.regex(elf, /BIND_NOW/)
  t.regex(elf, /GNU_STACK +\S+ \S+ \S+ \S+ \S+ RW +0x10/)
})
