import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { openGpg } from '../support/gpg.ts'
import { filesBelow } from '../support/files.ts'
import { bzip2, xz } from '../support/compressors.ts'
import { rkt } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { openScene } from './cli-scene.ts'

test('image export writes the archive as it was before it was compressed, from a signed image of every compression', async (t) => {
  using place = temporaryDirectory()
  using gpg = openGpg()
  const plain = readFileSync(makeAci({ compression: 'none', busybox: false }))
  const gzip = readFileSync(makeAci({ busybox: false }))
  const key = gpg.generateKey({ userID: 'Signer <signer@example.com>' })
  writeFileSync(place.in('key.asc'), gpg.exportKey(key))
  for (const [name, bytes] of Object.entries({ plain, gzip, xz: xz(plain), bzip2: bzip2(plain) })) {
    const flags = { dir: place.in(`data-${name}`) }
    t.is((await rkt(['trust', '--skip-fingerprint-review', '--prefix=example.com', place.in('key.asc')], flags)).code, 0)
    writeFileSync(place.in(`${name}.aci`), bytes)
    writeFileSync(place.in(`${name}.aci.asc`), gpg.sign(bytes, { key }))
    const fetched = await rkt(['fetch', '--full', place.in(`${name}.aci`)], flags)
    t.is(fetched.code, 0, fetched.stderr)
    for (const text of ['example.com/busybox', fetched.stdout.trim()]) {
      const exported = await rkt(['image', 'export', '--overwrite', text, place.in('out.aci')], flags)
      t.is(exported.code, 0, exported.stderr)
      t.true(readFileSync(place.in('out.aci')).equals(plain), name)
    }
  }
  t.deepEqual(readdirSync(place.path).filter((name) => name.startsWith('.')), [])
})

test('image export replaces a file only when told to, and never writes through a link', async (t) => {
  using scene = await openScene(t, { busybox: false })
  const out = scene.place.in('out.aci')
  writeFileSync(scene.place.in('victim'), 'untouched')
  symlinkSync(scene.place.in('victim'), out)
  const refused = await scene.rkt(['image', 'export', scene.image, out])
  t.is(refused.code, 254)
  t.is(refused.stderr, 'export: output ACI file exists (try --overwrite)\n')
  t.is((await scene.rkt(['image', 'export', '--overwrite', scene.image, out])).code, 0)
  t.true(lstatSync(out).isFile())
  t.is(readFileSync(scene.place.in('victim'), 'utf8'), 'untouched')
  t.is((await scene.rkt(['image', 'export', 'example.com/unknown', out])).code, 254)
})

test('image export of a blob that was changed since refuses it, and leaves no file', async (t) => {
  using scene = await openScene(t, { busybox: false, compression: 'none' })
  const blobs = scene.place.in('data', 'cas', 'blobs', 'sha512')
  const [name] = readdirSync(blobs)
  const bytes = readFileSync(`${blobs}/${name}`)
  bytes.write('evil', bytes.indexOf('root:x:0'))
  writeFileSync(`${blobs}/${name}`, bytes)
  const { code, stderr } = await scene.rkt(['image', 'export', scene.image, scene.place.in('out.aci')])
  t.is(code, 254)
  t.regex(stderr, /^export: cannot use image "sha512-[0-9a-f]{64}": its blob unpacks to/)
  t.deepEqual(readdirSync(scene.place.path), ['data', 'data.config'])
})

for (const verb of ['extract', 'render']) {
  test(`image ${verb} unpacks manifest and root, or the root alone`, async (t) => {
    using scene = await openScene(t, { files: { 'etc/motd': 'hello' } })
    const out = scene.place.in('out')
    t.is((await scene.rkt(['image', verb, 'example.com/busybox', out])).code, 0)
    t.deepEqual(readdirSync(out).sort(), ['manifest', 'rootfs'])
    t.is(readFileSync(`${out}/rootfs/etc/motd`, 'utf8'), 'hello')
    t.is(lstatSync(`${out}/rootfs/tmp`).mode & 0o7777, 0o1777)
    t.like(JSON.parse(readFileSync(`${out}/manifest`, 'utf8')), { name: 'example.com/busybox' })
    const again = await scene.rkt(['image', verb, '--rootfs-only', scene.image, out])
    t.is(again.code, 254)
    t.is(again.stderr, `${verb}: output directory exists (try --overwrite)\n`)
    writeFileSync(`${out}/stale`, '')
    t.is((await scene.rkt(['image', verb, '--rootfs-only', '--overwrite', scene.image, out])).code, 0)
    t.deepEqual(readdirSync(out).sort(), ['bin', 'etc', 'tmp'])
    t.deepEqual(readdirSync(scene.place.path).sort(), ['data', 'data.config', 'out'])
  })

  test(`image ${verb} refuses the root directory, and replaces a link without touching what it leads to`, async (t) => {
    using scene = await openScene(t, { busybox: false })
    t.is((await scene.rkt(['image', verb, scene.image, '/'])).stderr, `${verb}: output directory exists (try --overwrite)\n`)
    const root = await scene.rkt(['image', verb, '--overwrite', scene.image, '/tmp/..'])
    t.is(root.code, 254)
    t.is(root.stderr, `${verb}: this would delete your root filesystem. Refusing.\n`)
    mkdirSync(scene.place.in('victim'))
    writeFileSync(scene.place.in('victim', 'file'), '')
    symlinkSync(scene.place.in('victim'), scene.place.in('out'))
    t.is((await scene.rkt(['image', verb, '--overwrite', scene.image, scene.place.in('out')])).code, 0)
    t.true(lstatSync(scene.place.in('out')).isDirectory())
    t.deepEqual(filesBelow(scene.place.in('victim')), ['file'])
  })
}

test('image extract writes nothing outside its directory for an image with links out of it', async (t) => {
  using scene = await openScene(t, { busybox: false })
  mkdirSync(scene.place.in('outside'))
  mkdirSync(scene.place.in('tree', 'rootfs'), { recursive: true })
  writeFileSync(scene.place.in('manifest.json'), JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/links' }))
  symlinkSync(scene.place.in('outside'), scene.place.in('tree', 'rootfs', 'way-out'))
  const built = await scene.rkt(['image', 'build', `--manifest=${scene.place.in('manifest.json')}`, `--rootfs=${scene.place.in('tree', 'rootfs')}`, scene.place.in('links.aci')])
  t.is(built.code, 0, built.stderr)
  t.is((await scene.rkt(['fetch', scene.place.in('links.aci')])).code, 0)
  t.is((await scene.rkt(['image', 'extract', 'example.com/links', scene.place.in('out')])).code, 0)
  t.true(lstatSync(scene.place.in('out', 'rootfs', 'way-out')).isSymbolicLink())
  t.deepEqual(readdirSync(scene.place.in('outside')), [])
  // One that goes through the link is refused, and leaves nothing.
  const hostile = scene.place.in('hostile.tar')
  execFileSync('tar', ['--create', `--file=${hostile}`, `--directory=${scene.place.in('out')}`, 'manifest', 'rootfs'])
  writeFileSync(scene.place.in('x'), 'x')
  execFileSync('tar', ['--append', `--file=${hostile}`, '--transform=s,^x$,rootfs/way-out/x,', `--directory=${scene.place.path}`, 'x'])
  t.is((await scene.rkt(['fetch', hostile])).code, 254)
  t.false(existsSync(scene.place.in('outside', 'x')))
})
