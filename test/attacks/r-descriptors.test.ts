import { copyFileSync } from 'node:fs'
import test from 'ava'
import { openScene, shell } from '../functional/cli-scene.ts'

test('B11 a program is not looked up through descriptors of the launcher', async (t) => {
  using scene = await openScene(t)
  // ATTACK: PATH of the image leads to the host behind each descriptor that may still be open (CVE-2024-21626).
  const program = scene.place.in('busybox')
  copyFileSync('/bin/busybox', program)
  const path = Array.from({ length: 64 }, (_, at) => `/proc/self/fd/${at + 3}/${'../'.repeat(16)}${scene.place.path}`).join(':')
  for (const ids of ['true', 'false']) {
    const escaped = await scene.run([`--private-users=${ids}`, '--exec=busybox', `--environment=PATH=${path}`, '--', 'echo', 'escaped'])
    t.is(escaped.stdout, '')
    t.is(escaped.code, 254)
    t.regex(escaped.stderr, /^stage1: cannot execute "busybox": /m)
  }
  // Its own descriptors are still an app's way to its own files.
  t.is((await scene.run(shell('exec 5</bin; exec /proc/self/fd/5/echo own'))).stdout, 'own\n')
})
