import test from 'ava'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureTree } from '../../../src/store/index.ts'
import { filesBelow } from '../../support/files.ts'
import { startImporter } from '../../support/importer.ts'
import { openTestStore } from '../../support/store.ts'

test('eight processes that import the same images at once all get them, and each is stored once', async (t) => {
  using one = openTestStore()
  const paths = [
    one.signedAci('a'),
    one.signedAci('b', { manifest: { name: 'example.com/other' } }),
    one.signedAci('c', { compression: 'none' }),
  ]
  const orders = Array.from({ length: 8 }, (_, index) => [...paths.slice(index % 3), ...paths.slice(0, index % 3)])
  const ends = await Promise.all(orders.map((images) => startImporter(one, images).end))
  for (const { code, ids, errors } of ends) {
    t.is(code, 0, errors)
    t.is(ids.length, 3)
  }
  const records = one.store.records()
  t.is(records.length, 2)
  t.deepEqual(new Set(ends.flatMap(({ ids }) => ids)), new Set<string>(records.map(({ id }) => id)))
  for (const record of records) {
    t.true(one.store.isRendered(record.treeID))
    t.is((await one.acquire(record.id)).id, record.id)
  }
  t.deepEqual(filesBelow(join(one.dataDir, 'cas/tmp')), [])
})

test('imports, removals and renderings at once in one process end well', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('a')
  const { signal } = new AbortController()
  const { id, treeID } = await one.acquire(path)
  const work = Array.from({ length: 12 }, async (_, index) => {
    const record = await one.acquire(path)
    if (index % 3 === 0) rmSync(one.store.treePath(record.treeID), { recursive: true, force: true })
    if (index % 4 === 0) await one.store.remove(id, { signal }).catch(() => undefined)
    else await ensureTree(one.store, await one.acquire(path))
  })
  await Promise.all(work)
  const record = await one.acquire(path)
  t.is(record.id, id)
  t.is(await ensureTree(one.store, record), one.store.treePath(treeID))
  t.deepEqual(filesBelow(join(one.dataDir, 'cas/tmp')), [])
})
