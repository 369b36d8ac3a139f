import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags, rkt } from '../support/run.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../support/temp.ts'
import { openScene } from './cli-scene.ts'

/** A data directory on a file system of its own; it vanishes with the place. */
function smallDisk(place: TemporaryDirectory, options: string): string {
  mkdirSync(place.in('disk'))
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'none', place.in('disk')])
  return place.in('disk', 'data')
}

test('an empty directory is not the current one', async (t) => {
  for (const flag of ['dir', 'local-config', 'system-config']) {
    const { code, stderr } = await rkt([`--${flag}=`, 'list'])
    t.is(code, 254)
    t.is(stderr, `list: cannot use --${flag}="": it is empty; expected a directory\n`)
  }
})

test('an unknown network is told in the name of stage1', async (t) => {
  using scene = await openScene(t)
  const { code, stderr } = await scene.rkt(['run', '--net=nonesuch', scene.image])
  t.is(code, 254)
  t.regex(stderr, /^stage1: failed to setup network: networks not found: "nonesuch"$/m)
  t.deepEqual(scene.pods(), [])
})

test('what a user wrote reaches the terminal escaped, on one line', async (t) => {
  using place = temporaryDirectory()
  const wild = '\u001b[31m\u0007\n\u202e'
  for (const words of [[`--${wild}`], [wild], ['fetch', wild], ['status', wild], ['rm', wild], ['stop', wild], ['run', `--${wild}`], ['run', '--net=none', wild], ['image', 'rm', wild]]) {
    const { code, stderr } = await rkt(words, { dir: place.in('data') })
    t.is(code, 254)
    for (const line of stderr.trimEnd().split('\n')) t.regex(line, /^[a-z]+: [\p{L}\p{N}\p{P}\p{S} ]+$/u)
  }
})

test('very long words are refused in words', async (t) => {
  using scene = await openScene(t)
  const long = 'a'.repeat(100_000)
  for (const words of [['fetch', long], ['run', long], ['image', 'cat-manifest', long], ['status', long], ['list', `--dir=/${long}`], ['run', `--hostname=${long}`, scene.image]]) {
    const { code, stderr } = await scene.rkt(words)
    t.is(code, 254)
    t.regex(stderr, /^[a-z-]+: (cannot|problem retrieving pod: no matches found for|unable to)/m)
    t.notRegex(stderr, /internal error/)
  }
})

test('a full disk fails in words, hides nothing, and is no hindrance afterwards', async (t) => {
  using place = temporaryDirectory()
  const dir = smallDisk(place, 'size=2m')
  const full = await rkt(['--insecure-options=image', 'fetch', makeAci()], { dir })
  t.is(full.code, 254)
  t.regex(full.stderr, /^fetch: cannot .*ENOSPC: no space left on device$/im)
  t.is((await rkt(['image', 'list', '--no-legend'], { dir })).stdout, '\n')
  execFileSync('/bin/mount', ['-o', 'remount,size=20m', place.in('disk')])
  t.is((await rkt(['--insecure-options=image', 'run', '--rm', '--net=none', makeAci()], { dir })).code, 0)
})

test('a read-only data directory can be read; what would write says why it cannot', async (t) => {
  using place = temporaryDirectory()
  const dir = smallDisk(place, 'size=20m')
  const image = (await rkt(['--insecure-options=image', 'fetch', makeAci()], { dir })).stdout.trim()
  const uuid = (await rkt(['--insecure-options=image', 'prepare', image], { dir })).stdout.trim()
  execFileSync('/bin/mount', ['-o', 'remount,ro', place.in('disk')])
  for (const words of [['list'], ['image', 'list'], ['status', uuid], ['cat-manifest', uuid], ['image', 'cat-manifest', image], ['image', 'verify', image]]) {
    const { code, stderr } = await rkt(words, { dir })
    t.is(code, 0, stderr)
  }
  for (const words of [['fetch', makeAci()], ['run', '--net=none', image], ['prepare', image], ['run-prepared', uuid], ['rm', uuid], ['image', 'rm', image], ['image', 'gc']]) {
    const { code, stderr } = await rkt(['--insecure-options=image', ...words], { dir })
    t.is(code, 254, words.join(' '))
    t.regex(stderr, /cannot .*: EROFS: read-only file system$/m)
  }
})

test('without standard streams, and onto a full device, a command does its work or fails, and never hangs', async (t) => {
  using scene = await openScene(t)
  const rktLine = [rktProgram, ...placeFlags(scene.place.in('data')), '--insecure-options=image'].join(' ')
  const cases: [line: string, code: number][] = [
    [`${rktLine} list >&-`, 0],
    [`${rktLine} run --rm --net=none ${scene.image} <&- >&- 2>&-`, 0],
    [`${rktLine} run --rm --net=none ${scene.image} --exec=/bin/false <&-`, 1],
    [`env -i ${rktLine} run --rm --net=none ${scene.image}`, 0],
    [`${rktLine} list >/dev/full`, 254],
    [`${rktLine} frob 2>&-`, 254],
  ]
  for (const [line, code] of cases) t.is((await rkt(['-c', line], { program: '/bin/sh', timeoutMs: 20_000 })).code, code, line)
})

test('in a directory that was removed, all but relative paths work', async (t) => {
  using scene = await openScene(t)
  const rktLine = [rktProgram, ...placeFlags(scene.place.in('data')), '--insecure-options=image'].join(' ')
  const inRemoved = (words: string): ReturnType<typeof rkt> => {
    mkdirSync(scene.place.in('gone'))
    return rkt(['-c', `cd ${scene.place.in('gone')} && rmdir ../gone && ${rktLine} ${words}`], { program: '/bin/sh' })
  }
  t.is((await inRemoved(`run --rm --net=none --uuid-file-save= ${scene.image}`)).code, 0)
  const { code, stderr } = await inRemoved('fetch ./image.aci')
  t.is(code, 254)
  t.regex(stderr, /^fetch: cannot open image file ".+\/gone \(deleted\)\/image\.aci": ENOENT: no such file or directory$/m)
})
