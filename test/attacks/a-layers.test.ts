import test, { type ExecutionContext } from 'ava'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { ErrorCode } from '../../src/base/index.ts'
import { marksAt } from '../../src/store/oci/marks.ts'
import { zstd, zstdFrame } from '../support/compressors.ts'
import { base256, gnuLong, paxHeader, paxRecord, rawTar, type RawMember } from '../support/raw-tar.ts'
import { unpackScene, type UnpackScene } from '../support/unpack-scene.ts'

type Members = readonly (RawMember | Uint8Array)[]

async function refused(t: ExecutionContext, scene: UnpackScene, members: Members | Uint8Array, expected: { readonly code?: ErrorCode; readonly message?: RegExp; readonly what?: string } = {}): Promise<void> {
  const outcome = await scene.unpack(members instanceof Uint8Array ? members : rawTar(members))
  if (outcome.kind !== 'refused') return t.fail(`unpacked: ${expected.what ?? ''}`)
  t.is(outcome.code, expected.code ?? 'invalid-archive', `${expected.what ?? ''}: ${outcome.message}`)
  t.regex(outcome.message, expected.message ?? /^cannot (?:unpack|decompress) [^\n]+: /, expected.what)
  scene.assertUntouched(t, expected.what)
}

async function unpacked(t: ExecutionContext, scene: UnpackScene, members: Members | Uint8Array, what = ''): Promise<void> {
  const outcome = await scene.unpack(members instanceof Uint8Array ? members : rawTar(members))
  t.is(outcome.kind, 'unpacked', outcome.kind === 'refused' ? `${what}: ${outcome.message}` : what)
  scene.assertUntouched(t, what)
}

const upward = ['../victim/dotdot', '/../victim/slash-dotdot', 'a/../../victim/x', './../x', '..', 'x/..']

test('A1: a member of a layer whose path leads upward is refused, whatever its type and however it is spelt', async (t) => {
  using scene = unpackScene('layer')
  for (const name of upward) {
    for (const type of ['0', '1', '2', '3', '5', '6']) {
      await refused(t, scene, [{ name, type, linkname: type === '1' || type === '2' ? 'x' : '' }], { what: `${type} ${name}`, message: /upward/ })
    }
    await refused(t, scene, [gnuLong(name), { name: 'x', magic: 'gnu' }], { what: `long ${name}` })
    await refused(t, scene, [paxHeader([paxRecord('path', name)]), { name: 'x' }], { what: `pax ${name}` })
  }
})

test('A1 twin: a slash at the beginning means the root of the layer, and dots within names are names', async (t) => {
  using scene = unpackScene('layer')
  await unpacked(t, scene, [{ name: '/', type: '5', mode: 0o750 }, { name: '/etc/x', content: 'x' }, { name: './a..b' }, { name: '..c' }, { name: '/l', type: '1', linkname: '/etc/x' }])
  for (const name of ['etc/x', 'a..b', '..c', 'l']) t.true(existsSync(scene.rootfs(name)), name)
  t.is(statSync(scene.rootfs()).mode & 0o777, 0o750)
})

test('A2: a hard link to what this layer did not unpack is refused: on the host, in a layer below, taken away', async (t) => {
  using scene = unpackScene('layer')
  const then = { name: 'x', content: 'overwritten' }
  for (const linkname of ['../victim/hello', `${scene.victim}/hello`, 'etc/passwd', 'x', '']) {
    await refused(t, scene, [{ name: 'x', type: '1', linkname }, then], { what: `to ${linkname}` })
  }
  await refused(t, scene, [{ name: 's', type: '2', linkname: scene.victim }, { name: 'x', type: '1', linkname: 's/hello' }, then])
  await refused(t, scene, [{ name: '.wh.gone' }, { name: 'x', type: '1', linkname: 'gone' }], { message: /takes away/ })
})

test('A3, A4, A6: nothing of a layer is unpacked through a link, and a directory takes the place of one', async (t) => {
  using scene = unpackScene('layer')
  for (const linkname of ['../../../victim', scene.victim, '.', '/']) {
    await refused(t, scene, [{ name: 'loop', type: '2', linkname }, { name: 'loop/file', content: 'x' }], { what: linkname, message: /not a directory in this archive/ })
    await refused(t, scene, [{ name: 'loop', type: '2', linkname }, { name: 'loop/new/.wh.hello' }], { what: `whiteout ${linkname}` })
    await refused(t, scene, [{ name: 'loop', type: '2', linkname }, { name: 'loop/.wh..wh..opq' }], { what: `opaque ${linkname}` })
  }
  await unpacked(t, scene, [{ name: 'd', type: '2', linkname: join(scene.victim, 'd') }, { name: 'd', type: '5', mode: 0o777 }])
  t.true(lstatSync(scene.rootfs('d')).isDirectory())
  // What a layer below has at this place was a link for a moment: it is gone.
  t.true(marksAt(Buffer.from(scene.rootfs('d'))).opaque)
})

test('A8: numbers and records that readers take differently are refused in layers too', async (t) => {
  using scene = unpackScene('layer')
  await refused(t, scene, [{ name: 'x', size: base256(-1n, 12) }], { what: 'negative' })
  await refused(t, scene, [paxHeader([paxRecord('path', 'a\0b')]), { name: 'x' }], { what: 'NUL' })
  await refused(t, scene, [paxHeader([paxRecord('path', 'evil')], 'g'), { name: 'x' }], { what: 'global path' })
  await refused(t, scene, [{ name: 'x', type: 'S' }], { what: 'sparse' })
})

test('A9: a name that begins like the destination stays inside it', async (t) => {
  using scene = unpackScene('layer')
  await refused(t, scene, [{ name: '../ab-evil/x' }])
  t.false(existsSync(scene.beside('store/ab-evil')))
})

test('A12: devices are not made and hide what lies below, attributes of overlay are the unpacker\'s alone', async (t) => {
  using scene = unpackScene('layer')
  const forged = ['trusted.overlay.redirect', 'trusted.overlay.opaque', 'user.overlay.opaque', 'user.overlay.rkt-unnamed', 'user.overlay.redirect', 'security.evil'].map((name) => paxRecord(`SCHILY.xattr.${name}`, 'y'))
  await unpacked(t, scene, [
    { name: 'dev/mem', type: '3', major: 1, minor: 1 },
    { name: 'sh', mode: 0o4755, content: 'x' },
    paxHeader(forged),
    { name: 'd', type: '5' },
  ])
  const device = lstatSync(scene.rootfs('dev/mem'))
  t.is(device.rdev, 0)
  t.is(statSync(scene.rootfs('sh')).mode & 0o7777, 0o4755)
  t.deepEqual(marksAt(Buffer.from(scene.rootfs('d'))), { whiteout: false, opaque: false, unnamed: false })
  t.is(execFileSync('getfattr', ['-m', '-', '--', scene.rootfs('d')], { encoding: 'utf8' }), '')
})

test('A13: bombs of a layer end at a named limit', async (t) => {
  using scene = unpackScene('layer')
  const bomb = gzipSync(Buffer.alloc(120_000_000))
  await refused(t, scene, bomb, { code: 'limit-exceeded', message: /compressionRatio/, what: 'zeros' })
  await refused(t, scene, zstdFrame(rawTar([{ name: 'x' }]), 31), { code: 'limit-exceeded', message: /memory/, what: 'window' })
  await refused(t, scene, [paxHeader([paxRecord('path', `${'d/'.repeat(300)}x`)]), { name: 'x' }], { code: 'limit-exceeded', message: /pathDepth|pathBytes/, what: 'depth' })
  await unpacked(t, scene, zstd(rawTar([{ name: 'x', content: 'x' }])))
})

test('whiteouts that name no place in their directory are refused, and so is all that hides behind their names', async (t) => {
  using scene = unpackScene('layer')
  const cases: Record<string, Members> = {
    nothing: [{ name: 'd/.wh.' }],
    'the directory itself': [{ name: 'd/.wh..' }],
    'the directory above': [{ name: 'd/.wh...' }],
    'a directory': [{ name: '.wh.x', type: '5' }],
    'beneath one': [{ name: '.wh.x/y' }],
    'a link': [{ name: '.wh.x', type: '2', linkname: 'y' }],
    'with content': [{ name: '.wh.x', content: 'y' }],
    'an opaque mark with content': [{ name: '.wh..wh..opq', content: 'y' }],
  }
  for (const [what, members] of Object.entries(cases)) await refused(t, scene, members, { what })
})

test('whiteouts hide what lies below, and never what their own layer brings, in whatever order', async (t) => {
  using scene = unpackScene('layer')
  await unpacked(t, scene, [
    { name: '.wh.gone' },
    { name: 'file', content: 'mine' },
    { name: '.wh.file' },
    { name: '.wh.later' },
    { name: 'later', content: 'mine' },
    { name: 'd', type: '5' },
    { name: 'd/x', content: 'mine' },
    { name: '.wh.d' },
    { name: '.wh.e' },
    { name: 'e/f/x', content: 'mine' },
    { name: 'o/.wh..wh..opq' },
    { name: 'l', type: '2', linkname: 'file' },
    { name: '.wh.l' },
    { name: '.wh..wh.aufs' },
    { name: '.wh..wh.plnk/1.2', content: 'aufs' },
  ])
  const marks = (name: string): ReturnType<typeof marksAt> => marksAt(Buffer.from(scene.rootfs(name)))
  t.true(marks('gone').whiteout)
  t.is(readFileSync(scene.rootfs('file'), 'utf8'), 'mine')
  t.is(readFileSync(scene.rootfs('later'), 'utf8'), 'mine')
  t.is(readlinkSync(scene.rootfs('l')), 'file')
  t.deepEqual(marks('d'), { whiteout: false, opaque: true, unnamed: false })
  t.deepEqual(marks('e'), { whiteout: false, opaque: true, unnamed: true })
  t.deepEqual(marks('e/f'), { whiteout: false, opaque: false, unnamed: true })
  t.deepEqual(marks('o'), { whiteout: false, opaque: true, unnamed: true })
  t.false(existsSync(scene.rootfs('.wh..wh.aufs')))
})
