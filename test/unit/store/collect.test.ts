import test from 'ava'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { collectStore, type CollectOptions, type CollectReport } from '../../../src/store/index.ts'
import { makeScratch } from '../../../src/store/scratch.ts'
import { filesBelow } from '../../support/files.ts'
import { openTestStore, type TestStore } from '../../support/store.ts'

const day = 86_400_000

function collect(one: TestStore, options: Partial<CollectOptions> = {}): Promise<CollectReport> {
  return collectStore(one.store, {
    graceMs: day,
    treesInUse: new Set(),
    imagesInUse: new Set(),
    now: new Date(),
    signal: new AbortController().signal,
    log: one.store.log,
    ...options,
  })
}

const later = new Date(Date.now() + 2 * day)

test('collectStore() removes trees that no pod uses, and keeps their images within the grace period', async (t) => {
  using one = openTestStore()
  const used = await one.acquire(one.signedAci('used'))
  const unused = await one.acquire(one.signedAci('unused', { manifest: { name: 'example.com/unused' } }))
  t.deepEqual(await collect(one, { treesInUse: new Set([used.treeID]) }), { removedTrees: [unused.treeID], removedImages: [] })
  t.is(one.lines.at(-1), `removed treestore "${unused.treeID}"`)
  t.true(one.store.isRendered(used.treeID))
  t.deepEqual((await one.acquire('example.com/unused')).id, unused.id)
})

test('collectStore() removes images past their grace period, but none that a pod uses', async (t) => {
  using one = openTestStore()
  const used = await one.acquire(one.signedAci('used'))
  const unused = await one.acquire(one.signedAci('unused', { manifest: { name: 'example.com/unused' } }))
  const report = await collect(one, { now: later, imagesInUse: new Set([used.id]), treesInUse: new Set([used.treeID]) })
  t.deepEqual(report.removedImages, [unused.id])
  t.deepEqual(one.store.records().map(({ id }) => id), [used.id])
  t.deepEqual((await collect(one, { now: later })).removedImages, [used.id])
  t.deepEqual(filesBelow(join(one.dataDir, 'cas')), [])
})

test('collectStore() removes what crashes left, and nothing that a living process works on', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  const cas = (...names: string[]): string => join(one.dataDir, 'cas', ...names)
  mkdirSync(cas('tmp/work-dead/tree/rootfs'), { recursive: true })
  writeFileSync(cas('tmp/work-dead/tree/rootfs/file'), '')
  writeFileSync(cas('blobs/sha512', 'a'.repeat(128)), 'x')
  writeFileSync(cas('blobs/sha512', `${'a'.repeat(128)}.asc`), 'x')
  const partial = cas('tmp', `partial-${'b'.repeat(64)}`)
  for (const path of [partial, `${partial}.json`]) {
    writeFileSync(path, 'x')
    utimesSync(path, 1, 1)
  }
  const young = cas('tmp', `partial-${'c'.repeat(64)}`)
  writeFileSync(young, 'x')
  using alive = makeScratch(one.store.layout)
  writeFileSync(join(alive.path, 'blob'), 'x')
  await collect(one, { treesInUse: new Set([record.treeID]) })
  const blob = record.blob.slice('sha512:'.length)
  t.deepEqual(filesBelow(cas()).filter((path) => !path.startsWith('tree/')), [
    `blobs/sha512/${blob}`,
    `blobs/sha512/${blob}.asc`,
    `images/${record.id}.json`,
    `tmp/partial-${'c'.repeat(64)}`,
    join('tmp', alive.path.slice(cas('tmp').length + 1), 'blob'),
  ].sort())
  t.is((await one.acquire('example.com/busybox')).id, record.id)
})

test('collectStore() keeps every blob while a record is damaged', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  writeFileSync(join(one.dataDir, 'cas/images', `${record.id}.json`), 'x')
  await collect(one, { now: later })
  t.is(filesBelow(join(one.dataDir, 'cas/blobs')).length, 2)
})

test('store.remove() removes record, blob and signature; the tree stays', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  await one.store.remove(record.id, { signal: new AbortController().signal })
  t.deepEqual(one.store.records(), [])
  t.deepEqual(filesBelow(join(one.dataDir, 'cas/blobs')), [])
  t.true(one.store.isRendered(record.treeID))
})
