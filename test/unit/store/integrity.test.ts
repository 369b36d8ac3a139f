import test from 'ava'
import { chmodSync, chownSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureTree, openStore, verifyImage } from '../../../src/store/index.ts'
import type { AciRecord } from '../../../src/store/record.ts'
import { filesBelow } from '../../support/files.ts'
import { openTestStore, refusalOf, type TestStore } from '../../support/store.ts'

const signal = new AbortController().signal
const name = 'example.com/busybox'
const recordFile = (one: TestStore, { id }: AciRecord): string => join(one.dataDir, 'cas/images', `${id}.json`)
const blobFile = (one: TestStore, { blob }: AciRecord): string => join(one.dataDir, 'cas/blobs/sha512', blob.slice('sha512:'.length))

/** Inverts one bit of a file and puts its times back, as a failing disk would. */
function flip(path: string, at: number): void {
  const { atime, mtime } = statSync(path)
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
  utimesSync(path, atime, mtime)
}

test('an image whose stored blob was changed is not used, whatever its times say', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  flip(blobFile(one, record), 5000)
  t.regex(await one.refusal(name), /^corrupted: .*its blob was changed$/)
  t.regex(await one.refusal(name, { insecure: { image: true, tls: false, http: false } }), /^corrupted: /)
  flip(blobFile(one, record), 5000)
  const again = await one.acquire(name)
  t.notDeepEqual(again.stamp, record.stamp)
  t.deepEqual({ ...again, stamp: 0, verdict: 0 }, { ...record, stamp: 0, verdict: 0 })
})

test('an image whose stored signature was changed is not used once its blob has to be checked again', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  writeFileSync(`${blobFile(one, record)}.asc`, 'x')
  chmodSync(blobFile(one, record), 0o600)
  t.regex(await one.refusal(name), /^signature-invalid: /)
  rmSync(`${blobFile(one, record)}.asc`)
  t.regex(await one.refusal(name), /^signature-missing: /)
})

test('importing an image again repairs it', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app')
  const record = await one.acquire(path)
  flip(blobFile(one, record), 5000)
  t.is((await one.acquire(path)).id, record.id)
  t.is((await one.acquire(name)).id, record.id)
  writeFileSync(recordFile(one, record), 'x')
  t.is((await one.acquire(path)).id, record.id)
  rmSync(one.store.treePath(record.treeID), { recursive: true })
  t.is((await one.acquire(path)).id, record.id)
  t.true(one.store.isRendered(record.treeID))
})

test('a record with any flipped bit is corrupted, and does not hide other images', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  const other = await one.acquire(one.signedAci('other', { manifest: { name: 'example.com/other' } }))
  const path = recordFile(one, record)
  const { size } = statSync(path)
  for (let at = 0; at < size - 1; at += 7) {
    flip(path, at)
    t.deepEqual(one.store.records().map(({ id }) => id), [other.id], `bit at ${at}`)
    flip(path, at)
  }
  truncateSync(path, size - 10)
  t.regex(await one.refusal(record.id), /^corrupted: cannot use image .*its record is damaged/)
  t.is((await one.acquire('example.com/other')).id, other.id)
  t.true(one.lines.some((line) => line.startsWith('warning: cannot use image')))
  await one.store.remove(one.store.resolve(record.id), { signal })
  t.deepEqual(one.store.readings().map(({ kind }) => kind), ['image'])
})

test('a record under the name of another image is corrupted', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  const other = `sha512-${'0'.repeat(64)}`
  renameSync(recordFile(one, record), join(one.dataDir, 'cas/images', `${other}.json`))
  t.regex(await one.refusal(other), /^corrupted: .*it is about/)
})

test('root does not use a record or a blob that another user could have written', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app')
  const record = await one.acquire(path)
  for (const file of [recordFile(one, record), blobFile(one, record)]) {
    chownSync(file, 1000, 0)
    t.regex(await one.refusal(record.id), /^corrupted: .*it belongs to user 1000; expected root$/)
    chownSync(file, 0, 0)
    chmodSync(file, 0o660)
    t.regex(await one.refusal(record.id), /^corrupted: .*others than root may write to it$/)
    chmodSync(file, 0o640)
    t.is((await one.acquire(record.id)).id, record.id)
  }
  chownSync(recordFile(one, record), 1000, 0)
  t.regex(await one.refusal(name), /^not-found: /)
  t.true(one.lines.some((line) => line.startsWith('warning: ignoring image')))
  t.is((await one.acquire(path)).id, record.id)
  t.is((await one.acquire(name)).id, record.id)
})

test('a record or a blob that is a link is not followed', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  for (const [file, expected] of [
    [blobFile(one, record), /^corrupted: .*symbolic link/],
    [recordFile(one, record), /^corrupted: .*symbolic link/],
  ] as const) {
    renameSync(file, `${file}.moved`)
    symlinkSync(`${file}.moved`, file)
    t.regex(await one.refusal(record.id), expected)
    renameSync(`${file}.moved`, file)
  }
})

test('ensureTree() unpacks a missing and a half removed tree again, and compares what comes out', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  const tree = one.store.treePath(record.treeID)
  const whole = filesBelow(tree)
  rmSync(tree, { recursive: true })
  t.deepEqual(filesBelow(await ensureTree(one.store, record)), whole)
  rmSync(join(tree, 'rendered'))
  rmSync(join(tree, 'rootfs/etc'), { recursive: true })
  t.deepEqual(filesBelow(await ensureTree(one.store, record)), whole)
  const other = await one.acquire(one.signedAci('other', { manifest: { name: 'example.com/other' } }))
  rmSync(tree, { recursive: true })
  renameSync(blobFile(one, other), blobFile(one, record))
  t.regex(await refusalOf(() => ensureTree(one.store, record)), /^corrupted: .*its blob unpacks to/)
  t.false(one.store.isRendered(record.treeID))
  t.deepEqual(filesBelow(join(one.dataDir, 'cas/tmp')), [])
})

test('verifyImage() finds a changed file and unpacks the tree again, unless pods use it', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  const log = one.store.log
  const verify = (inUse: boolean): ReturnType<typeof verifyImage> => verifyImage(one.store, record, { log, signal, inUse })
  t.is(await verify(true), 'verified')
  flip(join(one.store.treePath(record.treeID), 'rootfs/bin/busybox'), 100)
  t.regex(await refusalOf(() => verify(true)), /^corrupted: tree cache verification failed for image "example\.com\/busybox:1\.0\.0": .*bin\/busybox.* is changed$/)
  t.is(await verify(false), 'rebuilt')
  t.regex(one.lines.at(-1) ?? '', /^tree cache verification failed for image .*;  rebuilding\.\.\.$/)
  t.is(await verify(false), 'verified')
  rmSync(one.store.treePath(record.treeID), { recursive: true })
  t.is(await verify(false), 'not-rendered')
})

test('openStore() refuses a data directory of another format, and calls an absent one empty', async (t) => {
  using one = openTestStore()
  t.deepEqual(openStore(one.place.in('none'), { create: false }).records(), [])
  writeFileSync(join(one.dataDir, 'format'), '2\n')
  for (const create of [true, false]) {
    t.regex(await refusalOf(() => openStore(one.dataDir, { create })), /^unsupported: .*its format is "2"; expected "1"$/)
  }
})

test('openStore() gives its directories the modes of the group that shares them', (t) => {
  using one = openTestStore()
  const mode = (path: string): string => (statSync(join(one.dataDir, path)).mode & 0o7777).toString(8)
  for (const path of ['cas/images', 'cas/blobs/sha512', 'cas/imagelocks']) t.is(mode(path), '2770', path)
  t.is(mode(''), '2750')
  for (const path of ['cas', 'cas/blobs', 'cas/tmp']) t.is(mode(path), '3770', path)
  t.is(mode('cas/tree'), '2700')
  t.is(mode('cas/treestorelocks'), '2700')
})
