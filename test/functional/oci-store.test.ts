import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { sha256 } from '../support/oci-image.ts'
import { shellLayer, writeLayerImage, type LayerMembers } from '../support/oci-layers.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags, rkt, type RunOptions, type RunResult } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

const place = temporaryDirectory()
test.after.always(() => place[Symbol.dispose]())

const layer = (text: string): LayerMembers => [{ name: `opt/${text}`, content: text }]
const first = writeLayerImage(place.in('first'), { layers: [shellLayer, layer('first')], config: { Cmd: ['/bin/cat', '/opt/first'] } })
const second = writeLayerImage(place.in('second'), { layers: [shellLayer, layer('second')], config: { Cmd: ['/bin/cat', '/opt/second'] } })
let stores = 0

interface Store {
  readonly dir: string
  in(...names: readonly string[]): string
  call(args: readonly string[], options?: RunOptions): Promise<RunResult>
}

function openStore(dir: string = place.in(`data-${(stores += 1)}`)): Store {
  return { dir, in: (...names) => join(dir, 'cas', ...names), call: (args, options = {}) => rkt(['--insecure-options=image', ...args], { dir, ...options }) }
}

const blobs = (store: Store): readonly string[] => readdirSync(store.in('blobs/sha256')).sort()
const trees = (store: Store): readonly string[] => readdirSync(store.in('tree')).sort()

test('images share blobs and trees of the same layers, and each takes away only what no other needs', async (t) => {
  const store = openStore()
  const ids = []
  for (const { reference } of [first, second]) ids.push((await store.call(['fetch', '--full', reference])).stdout.trim())
  t.is(trees(store).length, 3)
  t.is(blobs(store).length, 7)
  const whole = blobs(store)
  t.deepEqual(whole.filter((hex) => sha256(readFileSync(store.in('blobs/sha256', hex))) !== `sha256:${hex}`), [])
  t.is((await store.call(['image', 'rm', first.digest])).code, 0)
  t.is(blobs(store).length, 4)
  t.is((await store.call(['run', '--rm', '--net=none', second.digest.slice(0, 14)])).stdout, 'second')
  t.is((await store.call(['image', 'gc', '--grace-period=0s'])).code, 0)
  t.deepEqual([blobs(store), trees(store), readdirSync(store.in('images'))], [[], [], []])
})

test('trees of prepared pods stay when the image and everything else is collected', async (t) => {
  const store = openStore()
  const uuid = (await store.call(['prepare', '--quiet', first.reference])).stdout.trim()
  t.is((await store.call(['image', 'rm', first.digest])).code, 0)
  t.is((await store.call(['image', 'gc', '--grace-period=0s'])).code, 0)
  t.is(trees(store).length, 2)
  t.is((await store.call(['run-prepared', '--net=none', uuid])).stdout, 'first')
})

test('the same manifest is known by ID, alias and every name, and listed by each', async (t) => {
  const store = openStore()
  cpSync(place.in('first'), place.in('copy'), { recursive: true })
  const id = (await store.call(['fetch', '--full', first.reference])).stdout.trim()
  t.is((await store.call(['fetch', '--full', `oci:${place.in('copy')}:1`])).stdout.trim(), id)
  for (const name of ['localhost/first', 'localhost/first:1', 'localhost/copy:1', id.slice(0, 12), first.digest, first.digest.slice(0, 12)]) {
    t.is((await store.call(['image', 'cat-manifest', name])).stdout, readFileSync(place.in('first/blobs', first.digest.replace(':', '/')), 'utf8'), name)
    t.is((await store.call(['run', '--rm', '--net=none', '--pull-policy=never', name])).stdout, 'first', name)
  }
  const listed = (await store.call(['image', 'list', '--no-legend', '--fields=name,format,alias', '--sort=name'])).stdout
  t.is(listed, `localhost/copy:1\toci\t${first.digest.slice(0, 19)}\nlocalhost/first:1\toci\t${first.digest.slice(0, 19)}\n`)
  const json: unknown = JSON.parse((await store.call(['image', 'list', '--format=json'])).stdout)
  t.like(json, [{ id, format: 'oci', alias: first.digest }])
  t.regex((await store.call(['image', 'cat-manifest', 'sha256:ab'])).stderr, /no image IDs found: "sha256:ab"/)
})

test('D18: a changed record, manifest or config is refused; a changed tree is found and made anew; a changed blob is found', async (t) => {
  const store = openStore()
  const id = (await store.call(['fetch', '--full', first.reference])).stdout.trim()
  const config = blobs(store).find((hex) => readFileSync(store.in('blobs/sha256', hex), 'utf8').includes('"rootfs"')) ?? ''
  for (const [path, what] of [
    [store.in('images', `${id}.json`), 'record'],
    [store.in('blobs', first.digest.replace(':', '/')), 'manifest'],
    [store.in('blobs/sha256', config), 'config'],
  ] as const) {
    const before = readFileSync(path)
    const changed = Buffer.from(before)
    changed.write('X', before.indexOf('sha256:') + 20)
    writeFileSync(path, changed)
    const refused = await store.call(['run', '--net=none', '--pull-policy=never', id])
    t.is(refused.code, 254, what)
    t.regex(refused.stderr, /its record is damaged|was changed/, what)
    writeFileSync(path, before)
  }
  t.is((await store.call(['run', '--rm', '--net=none', id])).stdout, 'first')
  const tree = trees(store).find((name) => existsSync(store.in('tree', name, 'rootfs/opt/first'))) ?? ''
  appendFileSync(store.in('tree', tree, 'rootfs/opt/first'), 'evil')
  const verified = await store.call(['image', 'verify', id])
  t.is(verified.code, 0, verified.stderr)
  t.regex(verified.stderr, /tree cache verification failed for image "localhost\/first:1": "rootfs\/opt\/first" is changed; {2}rebuilding/)
  t.is(readFileSync(store.in('tree', tree, 'rootfs/opt/first'), 'utf8'), 'first')
  const manifest: { layers: { digest: string }[] } = JSON.parse(readFileSync(store.in('blobs', first.digest.replace(':', '/')), 'utf8'))
  truncateSync(store.in('blobs', (manifest.layers[1]?.digest ?? '').replace(':', '/')), 30)
  t.regex((await store.call(['image', 'verify', id])).stderr, /cannot use image "sha512-.*": its blob "sha256:.*" was changed/)
  // Another fetch brings it back.
  rmSync(store.in('tree', tree), { recursive: true })
  t.is((await store.call(['fetch', '--full', first.reference])).stdout.trim(), id)
  t.is((await store.call(['image', 'verify', id])).code, 0)
})

test('layers that are not what the config says are refused, and nothing of them is run or listed', async (t) => {
  const store = openStore()
  const evil = writeLayerImage(place.in('evil'), { layers: [shellLayer], document: { rootfs: { type: 'layers', diff_ids: [sha256('another')] } } })
  const refused = await store.call(['run', '--net=none', evil.reference])
  t.is(refused.code, 254)
  t.regex(refused.stderr, /cannot use layer "sha256:.*": its blob unpacks to "sha256:/)
  const short = writeLayerImage(place.in('short'), { layers: [shellLayer, shellLayer], document: { rootfs: { type: 'layers', diff_ids: [sha256('one')] } } })
  t.regex((await store.call(['fetch', short.reference])).stderr, /1 diff IDs for 2 layers/)
  t.is((await store.call(['image', 'list', '--no-legend'])).stdout, '\n')
  t.deepEqual(trees(store), [])
})

test('an exported image is a layout with the same bytes, which other tools and a second store take', async (t) => {
  const store = openStore()
  const id = (await store.call(['fetch', '--full', first.reference])).stdout.trim()
  const [out, again] = [place.in('out.tar'), place.in('again.tar')]
  for (const path of [out, again]) t.is((await store.call(['image', 'export', id, path])).code, 0)
  t.deepEqual(readFileSync(out), readFileSync(again))
  t.is((await store.call(['image', 'export', id, out])).code, 254)
  mkdirSync(place.in('unpacked'))
  execFileSync('tar', ['xf', out, '-C', place.in('unpacked')])
  for (const hex of readdirSync(place.in('unpacked/blobs/sha256'))) t.deepEqual(readFileSync(place.in('unpacked/blobs/sha256', hex)), readFileSync(store.in('blobs/sha256', hex)))
  const digest = execFileSync('/usr/bin/skopeo', ['inspect', '--format={{.Digest}}', `oci-archive:${out}`], { encoding: 'utf8', env: { HOME: place.path, TMPDIR: place.path, PATH: '/usr/bin' } }).trim()
  t.is(digest, first.digest)
  t.is((await openStore().call(['fetch', '--full', `oci-archive:${out}`])).stdout.trim(), id)
})

test('extracted and rendered layers are what umoci unpacks', async (t) => {
  const below: LayerMembers = [
    { name: 'd/', type: '5', mode: 0o750, uid: 3, gid: 4, mtime: 1000 },
    { name: 'd/a', content: 'a' },
    { name: 'd/h', type: '1', linkname: 'd/a' },
    { name: 'e/', type: '5', mtime: 2000 },
    { name: 'e/a', content: 'a' },
    { name: 'f', type: '6' },
    { name: 'g/', type: '5' },
    { name: 'g/x', content: 'x' },
  ]
  const above: LayerMembers = [{ name: 'd/.wh.a' }, { name: 'e/.wh..wh..opq' }, { name: 'e/b', content: 'b', mode: 0o4755 }, { name: '.wh.g' }, { name: 'n/', type: '5', mtime: 3000 }, { name: 'n/l', type: '2', linkname: '/etc' }]
  const { reference } = writeLayerImage(place.in('mixed'), { layers: [below, above] })
  const store = openStore()
  t.is((await store.call(['fetch', reference])).code, 0)
  execFileSync('/usr/bin/umoci', ['unpack', '--image', `${place.in('mixed')}:1`, place.in('bundle')], { stdio: 'pipe' })
  for (const verb of ['extract', 'render']) {
    t.is((await store.call(['image', verb, '--rootfs-only', 'localhost/mixed', place.in(verb)])).code, 0)
    t.deepEqual(listed(place.in(verb)), listed(place.in('bundle/rootfs')), verb)
    t.is(execFileSync('getfattr', ['-R', '-m', '-', '--absolute-names', place.in(verb)], { encoding: 'utf8' }), '')
  }
})

/** Types, modes, owners, sizes, link counts and targets, and times of directories but the root. */
function listed(root: string): string {
  const format = '%P %y %m %U %G %n %l\n'
  const files = execFileSync('find', [root, '-mindepth', '1', '!', '-type', 'd', '-printf', format], { encoding: 'utf8' })
  const directories = execFileSync('find', [root, '-mindepth', '1', '-type', 'd', '-printf', '%P %m %U %G %Ts\n'], { encoding: 'utf8' })
  return [...files.split('\n').sort(), ...directories.split('\n').sort()].join('\n')
}

test('several processes that fetch images of the same layers at once each get a whole image', async (t) => {
  const store = openStore()
  const results = await Promise.all([first, second, first, second].map(({ reference }) => store.call(['fetch', '--full', reference])))
  for (const { code, stderr } of results) t.is(code, 0, stderr)
  t.is(trees(store).length, 3)
  for (const { digest } of [first, second]) t.is((await store.call(['image', 'verify', digest])).code, 0)
  t.deepEqual(readdirSync(store.in('tmp')), [])
})

test('an import that is killed at any moment leaves a whole image or none, and collection leaves nothing else', async (t) => {
  const store = openStore()
  let killed = 0
  for (let moment = 0; moment < 8; moment += 1) {
    const child = spawn(rktProgram, [...placeFlags(store.dir), '--insecure-options=image', 'fetch', first.reference], { stdio: 'ignore' })
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    await delay(80 + 90 * moment)
    child.kill('SIGKILL')
    if ((await ended) !== null) killed += 1
    const ids = (await store.call(['image', 'list', '--no-legend', '--full', '--fields=id'])).stdout.trim().split('\n').filter((line) => line !== '')
    for (const id of ids) t.is((await store.call(['run', '--rm', '--net=none', id])).stdout, 'first')
    if (moment % 2 === 1) {
      t.is((await store.call(['image', 'gc', '--grace-period=0s'])).code, 0)
      t.deepEqual([blobs(store), trees(store), readdirSync(store.in('tmp'))], [[], [], []])
    }
  }
  t.true(killed > 0)
})

test('F7: a full disk fails in words, and is no hindrance afterwards', async (t) => {
  const disk = place.in('disk')
  mkdirSync(disk)
  const large = writeLayerImage(place.in('large'), { layers: [shellLayer, [{ name: 'random', content: randomBytes(6_000_000) }]], config: { Cmd: ['/bin/true'] } })
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=9m,mode=0755', 'tmpfs', disk])
  try {
    const store = openStore(join(disk, 'data'))
    const full = await store.call(['fetch', large.reference])
    t.is(full.code, 254)
    t.regex(full.stderr, /^fetch: cannot .*(?:ENOSPC|no space left)/im)
    t.is((await store.call(['image', 'list', '--no-legend'])).stdout, '\n')
    execFileSync('/bin/mount', ['-o', 'remount,size=60m', disk])
    t.is((await store.call(['run', '--rm', '--net=none', large.reference])).code, 0)
  } finally {
    execFileSync('/bin/umount', [disk])
  }
})
