import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, chownSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { openScene } from './cli-scene.ts'

const damages: readonly (readonly [what: string, path: string, damage: (path: string) => void])[] = [
  ['a changed byte', 'etc/passwd', (path) => appendFileSync(path, 'x')],
  ['a changed mode', 'etc/passwd', (path) => chmodSync(path, 0o666)],
  ['a mode with set-user-ID', 'bin/busybox', (path) => chmodSync(path, 0o4755)],
  ['another owner', 'etc/group', (path) => chownSync(path, 1000, 0)],
  ['another group of a directory', 'tmp', (path) => chownSync(path, 0, 1000)],
  ['a missing file', 'etc/passwd', (path) => rmSync(path)],
  ['a file too many', 'etc/intruder', (path) => writeFileSync(path, '')],
  ['a link in the place of a file', 'etc/passwd', (path) => (rmSync(path), symlinkSync('group', path))],
  ['a link that leads elsewhere', 'bin/sh', (path) => (rmSync(path), symlinkSync('/tmp/sh', path))],
  ['a file capability', 'bin/busybox', (path) => execFileSync('setcap', ['cap_net_raw+ep', path])],
]

test('image verify finds every kind of damage, renders the tree again, and then finds nothing', async (t) => {
  using scene = await openScene(t)
  const [tree = ''] = readdirSync(scene.place.in('data', 'cas', 'tree'))
  for (const [what, path, damage] of damages) {
    damage(scene.place.in('data', 'cas', 'tree', tree, 'rootfs', path))
    const { code, stderr } = await scene.rkt(['image', 'verify', scene.image])
    t.is(code, 0, what)
    t.regex(stderr, new RegExp(`tree cache verification failed for image "example\\.com/busybox:1\\.0\\.0": "rootfs/${path}" is (changed|missing|unexpected|\\w+);  rebuilding`), what)
  }
  const { code, stdout, stderr } = await scene.rkt(['image', 'verify', scene.image])
  t.is(code, 0)
  t.notRegex(stderr, /rebuilding/)
  t.regex(stdout, /^successfully verified checksum/)
})
