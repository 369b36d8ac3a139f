import test from 'ava'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bzip2, xz, zstd } from '../support/compressors.ts'
import { projectRoot } from '../support/paths.ts'
import { gnuLong, paxHeader, paxRecord, rawAci } from '../support/raw-tar.ts'
import { temporaryDirectory } from '../support/temp.ts'

/** One member of each kind, with every extension header. */
const everything = rawAci([
  { name: 'rootfs/a', content: 'x'.repeat(700) },
  paxHeader([
    paxRecord('path', 'rootfs/ü'),
    paxRecord('size', '3'),
    paxRecord('mtime', '-1.5'),
    paxRecord('uid', '77'),
    paxRecord('SCHILY.xattr.user.a', Buffer.from([0, 255])),
  ]),
  { name: 'c', content: 'abc' },
  gnuLong(`rootfs/${'n'.repeat(120)}`),
  { name: 'cut', magic: 'gnu' },
  { name: 'rootfs/l', type: '2', linkname: 'a' },
  { name: 'rootfs/h', type: '1', linkname: 'rootfs/a' },
  { name: 'rootfs/d', type: '3', major: 1, minor: 2 },
  { name: 'rootfs/d', content: 'no device after all' },
  paxHeader([paxRecord('comment', 'x')], 'g'),
  gnuLong('t'.repeat(150), 'K'),
  { name: 'rootfs/m', type: '2', magic: 'gnu' },
  { name: 'rootfs/f', type: '6' },
  { prefix: 'rootfs/p', name: 'q', type: '5' },
  { name: 'rootfs/p/q', type: '5', mode: 0o700 },
])

test('A8: the tar reader keeps its promises and its memory on thousands of mutations of an archive', (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('seed.tar'), everything)
  const seed = String(1 + Math.floor(Math.random() * 1e12))
  const result = spawnSync(join(projectRoot, 'build/fuzz/tar'), [place.in('seed.tar'), '30000', seed], { encoding: 'utf8' })
  t.is(result.status, 0, `seed ${seed}: ${result.stderr}`)
  t.regex(result.stdout, /^30000 rounds, [1-9]\d* accepted\n$/)
})

test('A8: the whole unpacker runs clean under the address and undefined behaviour sanitizers', (t) => {
  using place = temporaryDirectory()
  const limits = ['path=3840', 'name=255', 'depth=256', 'entries=100', 'header=1048576', 'manifest=4194304', 'unpacked=1000000', 'ratio=400']
  const blobs: Record<string, Uint8Array> = { tar: everything, gz: gzipSync(everything), xz: xz(everything), bz2: bzip2(everything), zst: zstd(everything) }
  for (const [name, blob] of Object.entries(blobs)) {
    for (const cut of [0, 1, 700, Math.floor(blob.length / 2)]) {
      const tree = place.in(`${name}-${cut}`)
      mkdirSync(tree)
      writeFileSync(place.in('blob'), blob.subarray(0, blob.length - cut))
      const fds = [openSync(place.in('blob'), 'r'), openSync(tree, 'r'), openSync(place.in(`${name}-${cut}.listing`), 'w')] as const
      const args = ['aci', ...limits.map((limit) => `--limit-${limit}`)]
      const result = spawnSync(join(projectRoot, 'build/asan/unpack'), args, { encoding: 'utf8', env: {}, stdio: [fds[0], 'ignore', 'pipe', 'pipe', fds[1], fds[2]] })
      for (const fd of fds) closeSync(fd)
      t.is(result.status, cut === 0 ? 0 : 1, `${name} ${cut}: ${result.stderr}`)
      t.regex(result.stderr, cut === 0 ? /^$/ : /^cannot [^\n]+\n$/, `${name} ${cut}`)
    }
  }
})
