import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { openGpg } from '../support/gpg.ts'
import { rkt, type RunResult } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { openScene, shell, type Scene } from './cli-scene.ts'

/** Builds and fetches an image of a directory; `on` names what it depends on. */
async function build(scene: Scene, { name, rootfs, on }: { readonly name: string; readonly rootfs: string; readonly on: readonly string[] }): Promise<RunResult> {
  const base = JSON.parse((await scene.rkt(['image', 'cat-manifest', scene.image])).stdout)
  const manifest = { ...base, name: `example.com/${name}`, dependencies: on.map((imageName) => ({ imageName })) }
  writeFileSync(scene.place.in(`${name}.json`), JSON.stringify(manifest))
  const built = await scene.rkt(['image', 'build', `--manifest=${scene.place.in(`${name}.json`)}`, `--rootfs=${rootfs}`, scene.place.in(`${name}.aci`)])
  return built.code === 0 ? await scene.rkt(['fetch', '--full', scene.place.in(`${name}.aci`)]) : built
}

test('a signed image runs on the programs of the signed image that it depends on', async (t) => {
  using place = temporaryDirectory()
  using gpg = openGpg()
  const call = (...args: readonly string[]): Promise<RunResult> => rkt(args, { dir: place.in('data') })
  const key = gpg.generateKey({ userID: 'Signer <signer@example.com>' })
  writeFileSync(place.in('key.asc'), gpg.exportKey(key))
  t.is((await call('trust', '--skip-fingerprint-review', '--prefix=example.com', place.in('key.asc'))).code, 0)
  const signed = (name: string, aci: string): string => {
    writeFileSync(place.in(name), readFileSync(aci))
    writeFileSync(place.in(`${name}.asc`), gpg.sign(readFileSync(aci), { key }))
    return place.in(name)
  }
  const top = signed('top.aci', makeAci({ busybox: false, files: { greeting: 'from the top' }, manifest: { name: 'example.com/top', dependencies: [{ imageName: 'example.com/busybox' }] } }))
  const early = await call('fetch', '--pull-policy=new', top)
  t.is(early.code, 254)
  t.regex(early.stderr, /unable to fetch image from image name "example\.com\/busybox"/)
  t.is((await call('fetch', signed('base.aci', makeAci()))).code, 0)
  const ran = await call('run', '--rm', '--net=none', top, ...shell('cat /greeting'))
  t.is(ran.code, 0, ran.stderr)
  t.true(ran.stdout.includes('from the top'))
  // The image of a chain whose base is not trusted any more does not start.
  t.is((await call('trust', 'rm', key, '--prefix=example.com')).code, 0)
  t.is((await call('trust', '--skip-fingerprint-review', '--prefix=example.com/top', place.in('key.asc'))).code, 0)
  const refused = await call('run', '--rm', '--net=none', 'example.com/top', ...shell('true'))
  t.is(refused.code, 254)
  t.regex(refused.stderr, /cannot use image "example\.com\/busybox"/)
})

test('image render puts an image over its dependencies, image extract unpacks it alone', async (t) => {
  using scene = await openScene(t, {})
  mkdirSync(scene.place.in('tree', 'etc'), { recursive: true })
  writeFileSync(scene.place.in('tree', 'etc', 'motd'), 'top')
  t.is((await build(scene, { name: 'top', rootfs: scene.place.in('tree'), on: ['example.com/busybox'] })).code, 0)
  t.is((await scene.rkt(['image', 'render', '--rootfs-only', 'example.com/top', scene.place.in('whole')])).code, 0)
  t.is((await scene.rkt(['image', 'extract', '--rootfs-only', 'example.com/top', scene.place.in('own')])).code, 0)
  t.deepEqual(readdirSync(scene.place.in('own')), ['etc'])
  t.deepEqual(readdirSync(scene.place.in('whole', 'etc')).sort(), ['group', 'motd', 'passwd'])
  t.true(statSync(scene.place.in('whole', 'bin', 'busybox')).isFile())
  t.deepEqual(readdirSync(scene.place.path).filter((name) => name.startsWith('.')), [])
})

test('a link of an upper image in the place of a directory below hides it, and leads nothing out of the tree', async (t) => {
  using scene = await openScene(t, { files: { 'opt/from-below': 'below', 'kept/from-below': 'below' } })
  mkdirSync(scene.place.in('outside'))
  mkdirSync(scene.place.in('tree', 'kept'), { recursive: true })
  symlinkSync(scene.place.in('outside'), scene.place.in('tree', 'opt'))
  t.is((await build(scene, { name: 'top', rootfs: scene.place.in('tree'), on: ['example.com/busybox'] })).code, 0)
  const ran = await scene.rkt(['run', '--rm', '--net=none', 'example.com/top', ...shell('readlink /opt; cat /kept/from-below')])
  t.is(ran.code, 0, ran.stderr)
  t.is((await scene.rkt(['image', 'render', '--rootfs-only', 'example.com/top', scene.place.in('whole')])).code, 0)
  t.is(readlinkSync(scene.place.in('whole', 'opt')), scene.place.in('outside'))
  t.true(existsSync(scene.place.in('whole', 'kept', 'from-below')))
  t.deepEqual(readdirSync(scene.place.in('outside')), [])
})

test('image gc takes composed trees and leaves dependencies alone; the next run renders again', async (t) => {
  using scene = await openScene(t, {})
  mkdirSync(scene.place.in('tree'))
  writeFileSync(scene.place.in('tree', 'mark'), '')
  const id = (await build(scene, { name: 'top', rootfs: scene.place.in('tree'), on: ['example.com/busybox'] })).stdout.trim()
  t.is((await scene.rkt(['image', 'gc'])).code, 0)
  t.deepEqual(readdirSync(scene.place.in('data', 'cas', 'tree')), [])
  t.is((await scene.rkt(['run', '--rm', '--net=none', id, ...shell('test -e /mark')])).code, 0)
  t.is((await scene.rkt(['image', 'verify', id])).stdout, `successfully verified checksum for image: "example.com/top:1.0.0" ("${id}")\n`)
})
