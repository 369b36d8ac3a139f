import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseACIdentifier } from '../../../src/spec/index.ts'
import { ensureTree, verifyImage } from '../../../src/store/index.ts'
import type { AciRecord } from '../../../src/store/record.ts'
import { filesBelow } from '../../support/files.ts'
import { openTestStore, type TestStore } from '../../support/store.ts'

interface ImageOptions {
  readonly on?: readonly (string | Readonly<Record<string, unknown>>)[]
  readonly files?: Readonly<Record<string, string>>
  readonly whitelist?: readonly string[]
  readonly version?: string
}

const signal = new AbortController().signal

/** Stores `example.com/NAME` with a file of its own, a shared one, and what is asked for. */
function add(one: TestStore, name: string, options: ImageOptions = {}): Promise<AciRecord> {
  return one.acquire(make(one, name, options))
}

function make(one: TestStore, name: string, { on = [], files = {}, whitelist = [], version = '1' }: ImageOptions = {}): string {
  const dependencies = on.map((dependency) => (typeof dependency === 'string' ? { imageName: `example.com/${dependency}` } : dependency))
  return one.signedAci(`${name}-${version}`, {
    busybox: false,
    files: { [`own/${name}`]: name, shared: name, ...files },
    manifest: {
      name: `example.com/${name}`,
      labels: [{ name: 'version', value: version }],
      ...(dependencies.length === 0 ? {} : { dependencies }),
      ...(whitelist.length === 0 ? {} : { pathWhitelist: whitelist }),
    },
  })
}

async function render(one: TestStore, record: AciRecord): Promise<string> {
  return join(await ensureTree(one.store, record), 'rootfs')
}

test('a tree lies over its dependencies in the order B, D, C, A for A→[B,C], C→[D]', async (t) => {
  using one = openTestStore()
  const d = await add(one, 'd', { files: { 'b-d': 'd', 'd-c': 'd' } })
  const c = await add(one, 'c', { on: ['d'], files: { 'c-a': 'c', 'd-c': 'c' } })
  const b = await add(one, 'b', { files: { 'b-d': 'b' } })
  const a = await add(one, 'a', { on: ['b', 'c'], files: { 'c-a': 'a' } })
  t.deepEqual(a.layers, [a.id, c.id, d.id, b.id])
  const rootfs = await render(one, a)
  for (const name of ['a', 'b', 'c', 'd']) t.is(readFileSync(join(rootfs, 'own', name), 'utf8'), name)
  t.deepEqual(['shared', 'c-a', 'd-c', 'b-d'].map((name) => readFileSync(join(rootfs, name), 'utf8')), ['a', 'a', 'c', 'd'])
  t.like(JSON.parse(readFileSync(join(rootfs, '../manifest'), 'utf8')), { name: 'example.com/a' })
  t.deepEqual(filesBelow(join(one.dataDir, 'cas/tmp')), [])
})

test('a shared dependency is applied on every way, with the white lists of that way', async (t) => {
  using one = openTestStore()
  await add(one, 'd', { files: { x: 'd', y: 'd', z: 'd' } })
  await add(one, 'b', { on: ['d'], whitelist: ['/own/b', '/x'] })
  await add(one, 'c', { on: ['d'], whitelist: ['/own/c', '/y'] })
  const record = await add(one, 'a', { on: ['b', 'c'] })
  t.is(record.layers?.length, 5)
  const rootfs = await render(one, record)
  const files = filesBelow(rootfs).filter((path) => !path.startsWith('etc/'))
  t.deepEqual(files, ['own/a', 'own/b', 'own/c', 'shared', 'x', 'y'])
})

test('a white list is the whole list of files for the image and all that lies beneath it', async (t) => {
  using one = openTestStore()
  await add(one, 'base', { files: { 'deep/kept': 'k', 'deep/dropped': 'x', 'gone/file': 'x', shared: 'base' } })
  const record = await add(one, 'top', { on: ['base'], whitelist: ['/deep/kept', '/own/top', '/own/../shared'] })
  const rootfs = await render(one, record)
  t.deepEqual(filesBelow(rootfs), ['deep/kept', 'own/top', 'shared'])
  t.is(readFileSync(join(rootfs, 'shared'), 'utf8'), 'top')
  t.false(existsSync(join(rootfs, 'gone')))
  // Without dependencies it holds as well.
  const alone = await add(one, 'alone', { whitelist: ['/own/alone'] })
  t.deepEqual(filesBelow(await render(one, alone)), ['own/alone'])
})

test('a file above hides a directory below; directories are merged and keep their mode', async (t) => {
  using one = openTestStore()
  await add(one, 'base', { files: { 'hidden/file': 'base', 'merged/base': 'base', outside: 'base' } })
  const record = await add(one, 'top', { on: ['base'], files: { hidden: 'a file', 'merged/top': 'top' } })
  const rootfs = await render(one, record)
  t.is(readFileSync(join(rootfs, 'hidden'), 'utf8'), 'a file')
  t.deepEqual(filesBelow(join(rootfs, 'merged')), ['base', 'top'])
  t.is(lstatSync(join(rootfs, 'tmp')).mode & 0o7777, 0o1777)
})

test('every image of a chain is verified: one key that is trusted no more refuses the whole, and trusted again it runs', async (t) => {
  using one = openTestStore()
  const stranger = one.gpg.generateKey({ userID: 'Other <other@example.com>' })
  const scope = { kind: 'prefix', prefix: parseACIdentifier('example.com/base') } as const
  one.keys.trust(scope, one.gpg.exportKey(stranger))
  const base = make(one, 'base')
  writeFileSync(`${base}.asc`, one.gpg.sign(readFileSync(base), { key: stranger }))
  await one.acquire(base)
  const top = await add(one, 'top', { on: ['base'] })
  await render(one, top)
  t.deepEqual((await one.acquire(top.id)).layers, top.layers)
  one.keys.keystore.withdraw(scope, stranger.toLowerCase())
  t.regex(await one.refusal(top.id), /^key-untrusted: cannot use image "example\.com\/base"/)
  one.keys.trust(scope, one.gpg.exportKey(stranger))
  t.deepEqual((await one.acquire(top.id)).layers, top.layers)
})

test('a dependency is found by ID, name and labels, and must be what was said', async (t) => {
  using one = openTestStore()
  const old = await add(one, 'base', { version: '1', files: { release: 'one' } })
  const recent = await add(one, 'base', { version: '2', files: { release: 'two' } })
  const release = async (name: string, dependency: Readonly<Record<string, unknown>>): Promise<string> =>
    readFileSync(join(await render(one, await add(one, name, { on: [dependency] })), 'release'), 'utf8')
  t.is(await release('latest', { imageName: 'example.com/base' }), 'two')
  t.is(await release('labelled', { imageName: 'example.com/base', labels: [{ name: 'version', value: '1' }] }), 'one')
  t.is(await release('by-id', { imageName: 'example.com/base', imageID: old.id }), 'one')
  const mismatched = make(one, 'wrong-label', { on: [{ imageName: 'example.com/base', imageID: recent.id, labels: [{ name: 'version', value: '1' }] }] })
  t.regex(await one.refusal(mismatched), /^name-mismatch: requested value for label "version"/)
  const misnamed = make(one, 'wrong-name', { on: [{ imageName: 'example.com/other', imageID: recent.id }] })
  t.regex(await one.refusal(misnamed), /^name-mismatch: .*expected "example\.com\/other"/)
  t.regex(await one.refusal(make(one, 'lost', { on: ['nowhere'] }), { pullPolicy: 'never' }), /^not-found: unable to fetch image from image name "example\.com\/nowhere"/)
})

test('a chain is resolved at every use: a newer dependency gives another tree, the older one stays for who uses it', async (t) => {
  using one = openTestStore()
  await add(one, 'base', { version: '1', files: { release: 'one' } })
  const before = await add(one, 'top', { on: ['base'] })
  const first = await render(one, before)
  await add(one, 'base', { version: '2', files: { release: 'two' } })
  const after = await one.acquire(before.id)
  t.not(after.treeID, before.treeID)
  t.is(readFileSync(join(await render(one, after), 'release'), 'utf8'), 'two')
  t.is(readFileSync(join(first, 'release'), 'utf8'), 'one')
  t.is(one.store.record(before.id).treeID, after.treeID)
})

test('an image that depends on itself is refused with the way, and so is one that depends on too many', async (t) => {
  using one = openTestStore()
  await one.refusal(make(one, 'a', { on: ['b'] }), { pullPolicy: 'never' })
  const refusal = await one.refusal(make(one, 'b', { on: ['a'] }), { pullPolicy: 'never' })
  t.is(refusal, 'invalid-manifest: cannot use image "example.com/b": an image depends on itself: "example.com/b" → "example.com/a" → "example.com/b"')
  await add(one, 'level0')
  for (let level = 1; level < 6; level++) await add(one, `level${level}`, { on: [`level${level - 1}`, `level${level - 1}`] }).catch(() => undefined)
  t.regex(await one.refusal(make(one, 'level6', { on: ['level5', 'level5'] })), /^limit-exceeded: .*dependencyImages/)
})

test('image verify finds a change in a composed tree, and puts it together again', async (t) => {
  using one = openTestStore()
  await add(one, 'base', { files: { precious: 'base' } })
  const record = await add(one, 'top', { on: ['base'] })
  const rootfs = await render(one, record)
  const lines: string[] = []
  const log = { info: (text: string) => void lines.push(text), warn: () => undefined, debug: () => undefined, notice: () => undefined }
  t.is(await verifyImage(one.store, record, { log, signal, inUse: false }), 'verified')
  writeFileSync(join(rootfs, 'precious'), 'evil')
  t.is(await verifyImage(one.store, record, { log, signal, inUse: false }), 'rebuilt')
  t.regex(lines[0] ?? '', /"rootfs\/precious" is changed;  rebuilding/)
  t.is(readFileSync(join(rootfs, 'precious'), 'utf8'), 'base')
})
