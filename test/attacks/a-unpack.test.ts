import test, { type ExecutionContext } from 'ava'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { ErrorCode } from '../../src/base/index.ts'
import { bzip2, xzWithHugeDictionary, xz, zstd, zstdFrame } from '../support/compressors.ts'
import { aciHead, base256, endOfArchive, gnuLong, paxHeader, paxRecord, rawAci, rawMember, type RawMember } from '../support/raw-tar.ts'
import { unpackScene, type UnpackOutcome, type UnpackScene } from '../support/unpack-scene.ts'

type Members = readonly (RawMember | Uint8Array)[]

function refused(t: ExecutionContext, outcome: UnpackOutcome, expected: { readonly code?: ErrorCode; readonly message?: RegExp; readonly what?: string } = {}): void {
  if (outcome.kind !== 'refused') {
    t.fail(`unpacked: ${expected.what ?? ''}`)
    return
  }
  t.is(outcome.code, expected.code ?? 'invalid-archive', `${expected.what ?? ''}: ${outcome.message}`)
  t.regex(outcome.message, /^cannot (?:unpack|decompress) [^\n]+: /, expected.what)
  t.regex(outcome.message, expected.message ?? /./, expected.what)
}

function unpacked(t: ExecutionContext, outcome: UnpackOutcome, what = ''): void {
  t.is(outcome.kind, 'unpacked', outcome.kind === 'refused' ? `${what}: ${outcome.message}` : what)
}

/** Each archive is refused with the same kind of message, and nothing outside changes. */
async function allRefused(t: ExecutionContext, scene: UnpackScene, cases: Readonly<Record<string, Members>>, message?: RegExp): Promise<void> {
  for (const [what, members] of Object.entries(cases)) {
    refused(t, await scene.unpack(rawAci(members)), message === undefined ? { what } : { what, message })
    scene.assertUntouched(t, what)
  }
}

async function allUnpacked(t: ExecutionContext, scene: UnpackScene, cases: Readonly<Record<string, Members>>): Promise<void> {
  for (const [what, members] of Object.entries(cases)) {
    unpacked(t, await scene.unpack(rawAci(members)), what)
    scene.assertUntouched(t, what)
  }
}

const upward = ['../victim/dotdot', '/../victim/slash-dotdot', 'a/../../victim/x', 'rootfs/../../victim/x', 'rootfs/../../../victim/x', 'rootfs/a/../x', '..', 'rootfs/..', '/rootfs/x']

test('A1: a member whose path leads upward or starts at the root is refused, whatever its type', async (t) => {
  using scene = unpackScene()
  for (const name of [...upward, `${scene.victim}/x`]) {
    for (const type of ['0', '1', '2', '3', '5', '6']) {
      const linkname = type === '1' || type === '2' ? 'rootfs' : ''
      refused(t, await scene.unpack(rawAci([{ name, type, linkname }])), { what: `${type} ${name}`, message: /upward|absolute/ })
    }
  }
  scene.assertUntouched(t)
})

test('A1: long names, pax paths and prefixes are held to the same rule', async (t) => {
  using scene = unpackScene()
  for (const name of upward) {
    refused(t, await scene.unpack(rawAci([gnuLong(name), { name: 'rootfs/x', magic: 'gnu' }])), { what: `long ${name}` })
    refused(t, await scene.unpack(rawAci([paxHeader([paxRecord('path', name)]), { name: 'rootfs/x' }])), { what: `pax ${name}` })
  }
  await allRefused(t, scene, {
    'prefix upward': [{ prefix: '../victim', name: 'x' }],
    'prefix absolute': [{ prefix: scene.victim, name: 'x' }],
    'prefix joins to upward': [{ prefix: 'rootfs/..', name: '../victim/x' }],
    'outside rootfs': [{ name: 'x' }],
    'beside rootfs': [{ name: 'rootfs-evil/x' }],
    'beneath the manifest': [{ name: 'manifest/x' }],
  })
})

test('A1 twin: dots that are part of a name, "./" and doubled slashes unpack', async (t) => {
  using scene = unpackScene()
  const names = ['rootfs/a..b', 'rootfs/..c', 'rootfs/...', './rootfs/d', 'rootfs//e', 'rootfs/./f', 'rootfs/ü\n"x']
  unpacked(t, await scene.unpack(rawAci([{ name: './', type: '5' }, ...names.map((name) => ({ name, content: name }))])))
  for (const name of ['a..b', '..c', '...', 'd', 'e', 'f', 'ü\n"x']) t.true(existsSync(scene.rootfs(name)), name)
  scene.assertUntouched(t)
})

test('A2: a hard link to anything that the archive did not unpack is refused, and the victim keeps its content', async (t) => {
  using scene = unpackScene()
  const then = { name: 'rootfs/x', content: 'overwritten' }
  const cases: Record<string, Members> = {}
  for (const linkname of ['../victim/hello', `${scene.victim}/hello`, 'rootfs/../../victim/hello', 'manifest', 'rootfs/missing', 'rootfs', 'rootfs/x', '']) {
    cases[`to ${linkname}`] = [{ name: 'rootfs/x', type: '1', linkname }, then]
  }
  cases['through a symbolic link'] = [
    { name: 'rootfs/s', type: '2', linkname: scene.victim },
    { name: 'rootfs/x', type: '1', linkname: 'rootfs/s/hello' },
    then,
  ]
  cases['with content'] = [{ name: 'rootfs/a', content: 'a' }, { name: 'rootfs/x', type: '1', linkname: 'rootfs/a', content: 'b' }]
  cases['to a directory'] = [{ name: 'rootfs/d', type: '5' }, { name: 'rootfs/x', type: '1', linkname: 'rootfs/d' }]
  await allRefused(t, scene, cases)
})

test('A2: a hard link to a symbolic link links the link: writing to its name later leaves the victim alone', async (t) => {
  using scene = unpackScene()
  const members = [
    { name: 'rootfs/s', type: '2', linkname: join(scene.victim, 'hello') },
    { name: 'rootfs/x', type: '1', linkname: 'rootfs/s' },
    { name: 'rootfs/x', content: 'mine' },
  ]
  unpacked(t, await scene.unpack(rawAci(members)))
  t.is(readFileSync(scene.rootfs('x'), 'utf8'), 'mine')
  t.true(lstatSync(scene.rootfs('s')).isSymbolicLink())
  scene.assertUntouched(t)
})

test('A2 twin: a hard link to an earlier file shares it, and a later file of that name replaces only the link', async (t) => {
  using scene = unpackScene()
  const members = [
    { name: 'rootfs/a', content: 'first' },
    { name: 'rootfs/b', type: '1', linkname: './rootfs/a' },
    { name: 'rootfs/c', type: '1', linkname: 'rootfs/a' },
    { name: 'rootfs/c', content: 'second' },
  ]
  unpacked(t, await scene.unpack(rawAci(members)))
  t.is(statSync(scene.rootfs('a')).ino, statSync(scene.rootfs('b')).ino)
  t.is(readFileSync(scene.rootfs('a'), 'utf8'), 'first')
  t.is(readFileSync(scene.rootfs('c'), 'utf8'), 'second')
})

test('A3, A4: nothing is unpacked through a symbolic link of the archive', async (t) => {
  using scene = unpackScene()
  const targets = ['../../../victim', '../../victim', scene.victim, '../victim', '.', '/']
  for (const linkname of targets) {
    await allRefused(
      t,
      scene,
      {
        [`file beneath ${linkname}`]: [{ name: 'rootfs/loop', type: '2', linkname }, { name: 'rootfs/loop/file', content: 'x' }],
        [`directories beneath ${linkname}`]: [{ name: 'rootfs/dir/loop', type: '2', linkname }, { name: 'rootfs/dir/loop/newdir/newfile', content: 'x' }],
        [`link beneath ${linkname}`]: [{ name: 'rootfs/loop', type: '2', linkname }, { name: 'rootfs/loop/l', type: '2', linkname: 'x' }],
        [`FIFO beneath ${linkname}`]: [{ name: 'rootfs/loop', type: '2', linkname }, { name: 'rootfs/loop/p', type: '6' }],
        [`directory beneath ${linkname}`]: [{ name: 'rootfs/loop', type: '2', linkname }, { name: 'rootfs/loop/d', type: '5' }],
      },
      /not a directory in this archive/,
    )
  }
  await allRefused(t, scene, { 'rootfs as a link': [{ name: 'rootfs', type: '2', linkname: scene.victim }] }, /"rootfs": not a directory/)
  await allRefused(t, scene, { 'beneath a file': [{ name: 'rootfs/f' }, { name: 'rootfs/f/x' }], 'beneath a device': [{ name: 'rootfs/f', type: '3' }, { name: 'rootfs/f/x/y' }] }, /not a directory in this archive/)
})

test('A3 twin: symbolic links to anywhere unpack as they are, and a file takes the place of one', async (t) => {
  using scene = unpackScene()
  const target = join(scene.victim, 'hello')
  const members = [
    { name: 'rootfs/out', type: '2', linkname: target },
    { name: 'rootfs/up', type: '2', linkname: '../../..' },
    { name: 'rootfs/replaced', type: '2', linkname: target },
    { name: 'rootfs/replaced', content: 'mine', mode: 0o600, uid: 7, gid: 8 },
  ]
  unpacked(t, await scene.unpack(rawAci(members)))
  t.is(readFileSync(scene.rootfs('replaced'), 'utf8'), 'mine')
  t.true(lstatSync(scene.rootfs('out')).isSymbolicLink())
  scene.assertUntouched(t)
})

test('A6: a directory takes the place of a symbolic link, whose target keeps its mode', async (t) => {
  using scene = unpackScene()
  for (const linkname of [join(scene.victim, 'd'), '../../../victim/d']) {
    unpacked(t, await scene.unpack(rawAci([{ name: 'rootfs/d', type: '2', linkname }, { name: 'rootfs/d', type: '5', mode: 0o777, uid: 5 }])))
    t.true(lstatSync(scene.rootfs('d')).isDirectory())
    t.is(lstatSync(scene.rootfs('d')).mode & 0o7777, 0o777)
    scene.assertUntouched(t)
  }
})

test('A6 twin: a directory given twice keeps its files and takes the later mode; one that is not empty is never replaced', async (t) => {
  using scene = unpackScene()
  const members = [{ name: 'rootfs/d', type: '5', mode: 0o700 }, { name: 'rootfs/d/f' }, { name: 'rootfs/d', type: '5', mode: 0o2755, gid: 9, mtime: 1_234_567 }]
  unpacked(t, await scene.unpack(rawAci(members)))
  t.true(existsSync(scene.rootfs('d', 'f')))
  const st = statSync(scene.rootfs('d'))
  t.deepEqual([st.mode & 0o7777, st.gid, st.mtimeMs], [0o2755, 9, 1_234_567_000])
  await allRefused(t, scene, { 'by a file': [...members, { name: 'rootfs/d' }], 'by a link': [...members, { name: 'rootfs/d', type: '2', linkname: 'x' }] }, /not empty/)
})

const wide = (value: bigint): Buffer => base256(value, 12)

test('A8: sizes that are no sizes are refused', async (t) => {
  using scene = unpackScene()
  const sizes: Record<string, Uint8Array | string> = {
    'minus one': wide(-1n),
    'minus 2^63': wide(-(2n ** 63n)),
    '2^63': wide(2n ** 63n),
    '2^80': wide(2n ** 80n),
    'letters': 'abcdefghijk\0',
    'digit eight': '00000000008\0',
    'sign': '-0000000001\0',
    'hexadecimal': '0x000000001\0',
    'nothing': Buffer.alloc(12),
    'blanks': ' '.repeat(12),
    'text after': '1 2        \0',
    'NUL before': '\x0000000000001',
  }
  for (const [what, size] of Object.entries(sizes)) refused(t, await scene.unpack(rawAci([{ name: 'rootfs/x', size }])), { what, message: /size/ })
  refused(t, await scene.unpack(rawAci([{ name: 'rootfs/x', size: wide(2n ** 40n) }])), { what: 'one TiB that is not there' })
  refused(t, await scene.unpack(rawAci([{ name: 'rootfs/x', uid: base256(-1n, 8) }])), { message: /owner/ })
  refused(t, await scene.unpack(rawAci([{ name: 'rootfs/x', uid: base256(2n ** 30n, 8) }])), { message: /owner/ })
  scene.assertUntouched(t)
})

const record = (text: string): Buffer => Buffer.from(text)

test('A8: pax records that lie are refused', async (t) => {
  using scene = unpackScene()
  const file = { name: 'rootfs/x' }
  const bad: Record<string, readonly Uint8Array[]> = {
    'NUL in path': [paxRecord('path', 'rootfs/a\0b')],
    'NUL in link path': [paxRecord('linkpath', 'a\0b')],
    'NUL in a key': [paxRecord('pa\0th', 'x')],
    'length too long': [record('99 path=rootfs/y\n')],
    'length too short': [record('10 path=rootfs/y\n')],
    'length zero': [record('0 path=rootfs/y\n')],
    'length with zeros before': [record('017 path=rootfs/y\n')],
    'length negative': [record('-17 path=rootfs/y\n')],
    'length huge': [record('99999999999999999999 path=x\n')],
    'no newline': [record('17 path=rootfs/yy')],
    'no equals sign': [record('10 pathxx\n')],
    'no key': [record('5 =x\n')],
    'rubbish after the last': [paxRecord('path', 'rootfs/y'), record('\0\0\0')],
    'path twice': [paxRecord('path', 'rootfs/y'), paxRecord('path', 'rootfs/z')],
    'size twice': [paxRecord('size', '0'), paxRecord('size', '1')],
    'path empty': [paxRecord('path', '')],
    'size negative': [paxRecord('size', '-1')],
    'size 2^63': [paxRecord('size', String(2n ** 63n))],
    'size of another': [paxRecord('size', '5')],
    'owner huge': [paxRecord('uid', '4294967295')],
    'time no number': [paxRecord('mtime', '1e9')],
    'sparse 1.0': [paxRecord('GNU.sparse.major', '1')],
    'sparse 0.1': [paxRecord('GNU.sparse.map', '0,1')],
    'sparse of star': [paxRecord('SCHILY.realsize', '1')],
    'type changed': [paxRecord('SCHILY.filetype', 'dir')],
    'unknown character set': [paxRecord('hdrcharset', 'EBCDIC')],
    'attribute twice': [paxRecord('SCHILY.xattr.user.a', '1'), paxRecord('SCHILY.xattr.user.a', '2')],
  }
  for (const [what, records] of Object.entries(bad)) refused(t, await scene.unpack(rawAci([paxHeader(records), file])), { what })
  for (const key of ['path', 'linkpath', 'size', 'uid', 'gid', 'mtime', 'SCHILY.xattr.user.a', 'GNU.sparse.major']) {
    refused(t, await scene.unpack(rawAci([paxHeader([paxRecord(key, '0')], 'g'), file])), { what: `global ${key}`, message: /global header/ })
  }
  scene.assertUntouched(t)
})

test('A8: headers that readers understand differently are refused', async (t) => {
  using scene = unpackScene()
  const x = paxHeader([paxRecord('mtime', '1')])
  const file = { name: 'rootfs/x' }
  await allRefused(t, scene, {
    'wrong checksum': [{ ...file, checksum: '000000\0 ' }],
    'no checksum': [{ ...file, checksum: Buffer.alloc(8) }],
    'unknown magic': [{ ...file, magic: Buffer.alloc(8) }],
    'prefix under GNU magic': [{ ...file, magic: 'gnu', prefix: 'rootfs/other' }],
    'file with a slash at its end': [{ name: 'rootfs/x/' }],
    'two extension headers': [x, x, file],
    'two long names': [gnuLong('rootfs/a'), gnuLong('rootfs/b'), file],
    'long name and pax path': [gnuLong('rootfs/a'), paxHeader([paxRecord('path', 'rootfs/b')]), file],
    'NUL within a long name': [gnuLong('rootfs/a\0b'), file],
    'global header in between': [x, paxHeader([paxRecord('comment', 'x')], 'g'), file],
    'extension header at the end': [file, x],
    'directory with content': [{ name: 'rootfs/d', type: '5', content: 'x' }],
    'link with content': [{ name: 'rootfs/l', type: '2', linkname: 'x', content: 'x' }],
    'link without a target': [{ name: 'rootfs/l', type: '2' }],
    'sparse of GNU': [{ ...file, type: 'S', magic: 'gnu' }],
    'socket': [{ ...file, type: 's' }],
    'contiguous file': [{ ...file, type: '7' }],
    'volume label': [{ ...file, type: 'V' }],
    'two manifests': [{ name: 'manifest', content: '{}' }],
    'manifest as a link': [{ name: 'manifest', type: '2', linkname: '/etc/passwd' }],
  })
})

test('A8: archives that end early, late or twice are refused', async (t) => {
  using scene = unpackScene()
  const whole = rawAci([{ name: 'rootfs/x', content: 'x'.repeat(600) }])
  const bad: Record<string, Uint8Array> = {
    'empty': new Uint8Array(0),
    'no end': whole.subarray(0, -1024),
    'half an end': whole.subarray(0, -512),
    'within a block of the end': whole.subarray(0, -1),
    'within content': whole.subarray(0, -1024 - 700),
    'within a header': whole.subarray(0, 1100),
    'bytes after the end': Buffer.concat([whole, Buffer.from('x')]),
    'another archive after the end': Buffer.concat([whole, whole]),
    'one block of zeros inside': Buffer.concat([aciHead, Buffer.alloc(512), rawMember({ name: 'rootfs/x' }), endOfArchive]),
    'no manifest': Buffer.concat([rawMember({ name: 'rootfs', type: '5' }), endOfArchive]),
    'no rootfs': Buffer.concat([rawMember({ name: 'manifest', content: '{}' }), endOfArchive]),
    'text': Buffer.from('not an archive\n'.repeat(100)),
  }
  for (const [what, blob] of Object.entries(bad)) refused(t, await scene.unpack(blob), { what })
  const gz = gzipSync(whole)
  refused(t, await scene.unpack(gz.subarray(0, -9)), { what: 'gzip cut' })
  refused(t, await scene.unpack(Buffer.concat([gz, Buffer.from('rubbish')])), { what: 'bytes after gzip' })
  scene.assertUntouched(t)
})

test('A8 twin: what GNU tar, Go and pax write unpacks', async (t) => {
  using scene = unpackScene()
  const long = `rootfs/${'n'.repeat(200)}`
  await allUnpacked(t, scene, {
    'base-256 owner and size': [{ name: 'rootfs/x', magic: 'gnu', uid: base256(3_000_000n, 8), size: wide(2n), content: 'ok' }],
    'long name and link': [gnuLong(long), gnuLong('t'.repeat(300), 'K'), { name: 'rootfs/cut', type: '2', linkname: 'cut', magic: 'gnu' }],
    'global comment': [paxHeader([paxRecord('comment', 'made by hand')], 'g'), { name: 'rootfs/x' }],
    'prefix': [{ prefix: 'rootfs/p', name: 'x' }],
    'more zeros at the end': [{ name: 'rootfs/x' }, Buffer.alloc(0)],
    'blanks before numbers': [{ name: 'rootfs/x', mode: '   644 \0', uid: '     0 \0' }],
    'type bits in the mode': [{ name: 'rootfs/x', mode: 0o100644 }],
    'parents that no member names': [{ name: 'rootfs/a/b/c/d', content: 'x' }],
  })
  unpacked(t, await scene.unpack(Buffer.concat([rawAci([]), Buffer.alloc(8192)])), 'padded to a record')
})

test('A8 twin: pax records set name, size, owner, time and attributes', async (t) => {
  using scene = unpackScene()
  const records: readonly (readonly [string, string])[] = [['path', 'rootfs/ü'], ['size', '2'], ['uid', '70000'], ['gid', '3'], ['mtime', '-1.5'], ['atime', '1.25'], ['uname', 'x']]
  const member = rawMember({ name: 'rootfs/cut', size: 0, content: 'ok' })
  unpacked(t, await scene.unpack(rawAci([paxHeader(records.map(([key, value]) => paxRecord(key, value))), member])))
  const st = statSync(scene.rootfs('ü'))
  t.deepEqual([st.size, st.uid, st.gid, st.mtimeMs], [2, 70_000, 3, -1500])
})

test('A9: a sibling of the destination with the same beginning of its name stays absent', async (t) => {
  using scene = unpackScene()
  await allRefused(t, scene, { upward: [{ name: '../ab-evil/x' }], 'from rootfs': [{ name: 'rootfs/../../ab-evil/x' }], beside: [{ name: 'rootfs-evil' }] })
  unpacked(t, await scene.unpack(rawAci([{ name: 'rootfs/ab-evil/x' }])), 'twin')
  scene.assertUntouched(t)
})

test('A12: devices are recorded and not made; attributes that overlay reads are dropped', async (t) => {
  using scene = unpackScene()
  const listingPath = scene.beside('listing')
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
  const xattrs = paxHeader([
    paxRecord('SCHILY.xattr.security.capability', capability),
    paxRecord('SCHILY.xattr.trusted.overlay.redirect', '/../../tmp/victim'),
    paxRecord('SCHILY.xattr.user.overlay.redirect', '/../../tmp/victim'),
    paxRecord('SCHILY.xattr.user.overlay.opaque', 'y'),
    paxRecord('SCHILY.xattr.system.posix_acl_access', 'x'),
    paxRecord('SCHILY.xattr.security.selinux', 'x'),
    paxRecord('SCHILY.xattr.user.kept', Buffer.from([0, 10, 255])),
    paxRecord('LIBARCHIVE.xattr.user.other', 'eA=='),
  ])
  const members = [
    { name: 'rootfs/dev/mem', type: '3', major: 1, minor: 1, mode: 0o600 },
    { name: 'rootfs/dev/sda', type: '4', major: 8, minor: 0, gid: 6 },
    { name: 'rootfs/dev/was-file' },
    { name: 'rootfs/dev/was-file', type: '3', major: 1, minor: 3 },
    { name: 'rootfs/dev/null', type: '3', major: 1, minor: 3 },
    { name: 'rootfs/dev/null', content: 'a file after all' },
    { name: 'rootfs/dev/again', type: '1', linkname: 'rootfs/dev/sda' },
    { name: 'rootfs/sh', mode: 0o4755, content: 'shell' },
    xattrs,
    { name: 'rootfs/ping', mode: 0o755, content: 'ping' },
    { name: 'rootfs/pipe', type: '6', mode: 0o622 },
  ]
  const outcome = await scene.unpack(rawAci(members), { listingPath })
  unpacked(t, outcome)
  for (const name of ['mem', 'sda', 'was-file', 'again']) t.false(existsSync(scene.rootfs('dev', name)), name)
  t.true(statSync(scene.rootfs('dev', 'null')).isFile())
  t.is(statSync(scene.rootfs('sh')).mode & 0o7777, 0o4755)
  t.true(statSync(scene.rootfs('pipe')).isFIFO())
  const attributes = execFileSync('getfattr', ['--absolute-names', '-d', '-m', '-', '-e', 'hex', scene.rootfs('ping')], { encoding: 'utf8' })
  t.deepEqual(attributes.trim().split('\n').slice(1).map((line) => line.split('=')[0]).toSorted(), ['security.capability', 'user.kept'])
  t.regex(attributes, /^user\.kept=0x000aff$/m)
  t.is(execFileSync('getcap', [scene.rootfs('ping')], { encoding: 'utf8' }).split(' ')[1]?.trim(), 'cap_net_raw=ep')
  const devices = readFileSync(listingPath, 'utf8').split('\n').filter((line) => /^[bc] /.test(line))
  t.deepEqual(devices.toSorted(), ['b 0644 0 6 - 8:0 rootfs/dev/again', 'b 0644 0 6 - 8:0 rootfs/dev/sda', 'c 0600 0 0 - 1:1 rootfs/dev/mem', 'c 0644 0 0 - 1:3 rootfs/dev/was-file'])
})

test('A13: what grows without measure is refused by the name of its limit', async (t) => {
  using scene = unpackScene()
  const zeros = Buffer.alloc(200 << 20)
  const bomb = gzipSync(rawAci([{ name: 'rootfs/zeros', content: zeros }]), { level: 9 })
  refused(t, await scene.unpack(bomb), { code: 'limit-exceeded', message: /compressionRatio/ })
  refused(t, await scene.unpack(rawAci([{ name: 'rootfs/x', content: Buffer.alloc(70_000) }]), { limits: { unpackedBytes: 65_536 } }), { code: 'limit-exceeded', message: /unpackedBytes/ })
  const many = Array.from({ length: 1001 }, (_, i) => ({ name: `rootfs/${i}` }))
  refused(t, await scene.unpack(rawAci(many), { limits: { archiveEntries: 1000 } }), { code: 'limit-exceeded', message: /archiveEntries/ })
  unpacked(t, await scene.unpack(rawAci(many), { limits: { archiveEntries: 1003 } }), 'twin: as many as allowed')
  const deep = `rootfs/${'d/'.repeat(1000)}`
  refused(t, await scene.unpack(rawAci([gnuLong(deep), { name: 'cut', type: '5', magic: 'gnu' }])), { code: 'limit-exceeded', message: /pathDepth/ })
  const long = `rootfs/${`${'n'.repeat(250)}/`.repeat(263)}`
  refused(t, await scene.unpack(rawAci([paxHeader([paxRecord('path', long)]), { name: 'cut' }])), { code: 'limit-exceeded', message: /pathBytes/ })
  refused(t, await scene.unpack(rawAci([gnuLong(`rootfs/${'n'.repeat(256)}`), { name: 'cut', magic: 'gnu' }])), { code: 'limit-exceeded', message: /nameBytes/ })
  refused(t, await scene.unpack(rawAci([{ name: 'x', type: 'x', size: 1 << 30 }])), { code: 'limit-exceeded', message: /archiveHeaderBytes/ })
  refused(t, await scene.unpack(rawAci([paxHeader([paxRecord('linkpath', 'x'.repeat(5000))]), { name: 'rootfs/m', type: '2' }])), { code: 'limit-exceeded', message: /pathBytes/ })
  const fat = Buffer.concat([rawMember({ name: 'manifest', content: Buffer.alloc(5 << 20, ' ') }), rawMember({ name: 'rootfs', type: '5' }), endOfArchive])
  refused(t, await scene.unpack(fat), { code: 'limit-exceeded', message: /jsonBytes/ })
  scene.assertUntouched(t)
})

test('A13: decompressors get no more memory than the limit, and no second layer', async (t) => {
  using scene = unpackScene()
  const tar = rawAci([{ name: 'rootfs/x', content: 'x' }])
  refused(t, await scene.unpack(zstdFrame(tar, 31)), { code: 'limit-exceeded', message: /memory/ })
  unpacked(t, await scene.unpack(zstdFrame(tar, 23)), 'twin: window of 8 MiB')
  refused(t, await scene.unpack(xzWithHugeDictionary(tar)), { code: 'limit-exceeded', message: /memory/ })
  let nested = gzipSync(tar)
  refused(t, await scene.unpack(gzipSync(nested)), { what: 'twice' })
  for (let i = 1; i < 100; i++) nested = gzipSync(nested)
  refused(t, await scene.unpack(nested), { what: 'a hundred times' })
  const members = Array.from({ length: 100 }, (_, i) => gzipSync(tar.subarray((i * tar.length) / 100, ((i + 1) * tar.length) / 100)))
  unpacked(t, await scene.unpack(Buffer.concat(members)), 'twin: a hundred gzip members one after the other')
})

test('A15: programs of the image never run, whatever compresses it; formats that need a program are refused', async (t) => {
  using scene = unpackScene()
  const script = `#!/bin/sh\ntouch ${scene.victim}/pwn\n`
  const names = ['xz', 'unpigz', 'gzip', 'zstd', 'tar', 'getent', 'bzip2', 'lz4', 'lzop', 'grzip', 'lrzip', 'uncompress']
  const tar = rawAci(names.map((name) => ({ name: `rootfs/usr/bin/${name}`, content: script, mode: 0o4755 })))
  for (const compress of [gzipSync, xz, bzip2, zstd]) {
    unpacked(t, await scene.unpack(compress(tar)), compress.name)
    scene.assertUntouched(t, compress.name)
  }
  const magics: Record<string, string> = { lz4: '\x04"M\x18', lzop: '\x89LZO\0\r\n\x1a\n', lrzip: 'LRZI', grzip: 'GRZipII\0\x02\x04:)', lzip: 'LZIP\x01', compress: '\x1f\x9d\x90', uu: 'begin 644 x\n' }
  for (const [what, magic] of Object.entries(magics)) {
    refused(t, await scene.unpack(Buffer.concat([Buffer.from(magic, 'latin1'), tar])), { what })
    scene.assertUntouched(t, what)
  }
})
