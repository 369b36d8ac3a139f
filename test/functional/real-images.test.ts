import test from 'ava'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { aciManifest } from '../support/aci.ts'
import { projectRoot } from '../support/paths.ts'
import { openSignedScene, type SignedScene } from '../support/signed-scene.ts'
import { shell } from './cli-scene.ts'

/** Signs an image that another program built. */
function sign({ gpg, key }: SignedScene, path: string): string {
  writeFileSync(`${path}.asc`, gpg.sign(readFileSync(path), { key }))
  return path
}

/** Every path of a tree with type, mode, owner, size of files and target of links, and its whole content by sha256sum; no devices. */
function describe(tree: string): { readonly paths: readonly string[]; readonly sums: string } {
  const find = (words: string): string => execFileSync('/bin/sh', ['-c', `cd "$0" && find . ${words}`, tree], { encoding: 'utf8', maxBuffer: 1 << 27 })
  const directories = find(`-type d -printf '%p %y %m %U:%G\\n'`)
  const others = find(`! -type d ! -type c ! -type b -printf '%p %y %m %U:%G %n %s %l\\n'`)
  return { paths: `${directories}${others}`.split('\n').toSorted(), sums: find(`-type f -print0 | sort -z | xargs -0 sha256sum | sha256sum`) }
}

test('a Debian system of 16,000 files is built, signed, fetched, rendered as it was, run, checked by its own package manager, and verified', async (t) => {
  t.timeout(420_000)
  using one = await openSignedScene()
  // The one moment that needs the network: bounded, and kept for the next run.
  const { stdout: archive } = await promisify(execFile)(join(projectRoot, 'tools/debian-tree'), { timeout: 400_000 })
  const tree = one.place.in('tree')
  mkdirSync(tree)
  execFileSync('tar', ['--extract', '--xattrs', '--numeric-owner', `--file=${archive.trim()}`, `--directory=${tree}`])
  const original = describe(tree)
  t.true(original.paths.length > 16_000)
  writeFileSync(one.place.in('manifest'), JSON.stringify(aciManifest({ name: 'example.com/debian', app: { exec: ['/bin/bash'] } })))
  const aci = one.place.in('debian.aci')
  const built = await one.rkt(['image', 'build', `--manifest=${one.place.in('manifest')}`, `--rootfs=${tree}`, '--compression=none', aci])
  t.is(built.code, 0, built.stderr)
  rmSync(tree, { recursive: true })
  sign(one, aci)
  const fetched = await one.rkt(['fetch', '--full', aci])
  t.is(fetched.stdout, built.stdout)
  rmSync(aci)

  t.is((await one.rkt(['image', 'render', '--rootfs-only', 'example.com/debian', one.place.in('rendered')])).code, 0)
  const rendered = describe(one.place.in('rendered'))
  rmSync(one.place.in('rendered'), { recursive: true })
  t.deepEqual(rendered.paths, original.paths)
  t.is(rendered.sums, original.sums)

  // Debian's own record of every file, seen from inside: nothing but what was left out of the tree may differ.
  const line = 'dpkg --verify; perl -e "print 6*7, qq(\\n)"; python3.11 -c "import json; print(json.dumps([1]))"; id -u; find /bin/ /etc /home /usr /var -uid 65534'
  const ran = await one.rkt(['run', '--rm', '--net=none', 'example.com/debian', ...shell(line)])
  t.is(ran.code, 0, ran.stderr)
  t.is(ran.stdout.replace(/^missing +\/.*\n/gm, ''), '42\n[1]\n0\n')

  const verify = () => one.rkt(['image', 'verify', 'example.com/debian'])
  t.regex((await verify()).stdout, /^successfully verified checksum for image: "example\.com\/debian:1\.0\.0"/)
  const [id = ''] = readdirSync(one.place.in('data', 'cas', 'tree'))
  const inTree = (path: string): string => one.place.in('data', 'cas', 'tree', id, 'rootfs', path)
  // Every kind of damage has a test of its own on a small image; here it has to be found among many.
  for (const damage of [() => appendFileSync(inTree('usr/bin/perl'), 'x'), () => chmodSync(inTree('etc/shadow'), 0o644), () => rmSync(inTree('usr/bin/ls'))]) damage()
  const repaired = await verify()
  t.is(repaired.code, 0)
  t.regex(repaired.stderr, /tree cache verification failed for image "example\.com\/debian:1\.0\.0": "rootfs\/etc\/shadow" is changed and [23] more; {2}rebuilding\.\.\./)
  t.is((await verify()).stderr, '')
})

test('an image that actool built runs, and what rkt exports and builds is valid for actool', async (t) => {
  using one = await openSignedScene()
  const layout = one.place.in('layout')
  mkdirSync(join(layout, 'rootfs', 'bin'), { recursive: true })
  mkdirSync(join(layout, 'rootfs', 'tmp'))
  execFileSync('cp', ['/bin/busybox', join(layout, 'rootfs', 'bin')])
  execFileSync('ln', ['-s', 'busybox', join(layout, 'rootfs', 'bin', 'sh')])
  writeFileSync(join(layout, 'manifest'), JSON.stringify(aciManifest({ name: 'example.com/actool', app: { exec: ['/bin/busybox', 'echo', 'built by actool'] } })))
  for (const compression of [[], ['--no-compression']]) {
    const aci = one.place.in(`actool${compression.length}.aci`)
    execFileSync('actool', ['build', ...compression, layout, aci])
    const fetched = await one.rkt(['fetch', '--full', sign(one, aci)])
    t.is(fetched.code, 0, fetched.stderr)
    t.is((await one.rkt(['run', '--rm', '--net=none', aci])).stdout, 'built by actool\n')
    const manifest = JSON.parse((await one.rkt(['image', 'cat-manifest', 'example.com/actool'])).stdout)
    t.like(manifest, { name: 'example.com/actool', acKind: 'ImageManifest' })
    // Both name the image by the uncompressed archive.
    const plain = one.place.in('plain.aci')
    t.is((await one.rkt(['image', 'export', '--overwrite', fetched.stdout.trim(), plain])).code, 0)
    t.true(fetched.stdout.startsWith(`sha512-${execFileSync('sha512sum', [plain], { encoding: 'utf8' }).slice(0, 64)}`))
    t.is(spawnSync('actool', ['validate', plain]).status, 0)
  }
  const uuid = one.place.in('uuid')
  t.is((await one.rkt(['run', '--net=none', `--uuid-file-save=${uuid}`, 'example.com/actool', ...shell('echo new >/tmp/new')])).code, 0)
  const exported = one.place.in('exported.aci')
  t.is((await one.rkt(['export', readFileSync(uuid, 'utf8'), exported])).code, 0)
  t.is(spawnSync('actool', ['validate', exported]).status, 0)
})
