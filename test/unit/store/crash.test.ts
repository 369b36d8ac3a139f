import test from 'ava'
import { setTimeout as delay } from 'node:timers/promises'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { collectStore, ensureTree, verifyImage } from '../../../src/store/index.ts'
import { filesBelow } from '../../support/files.ts'
import { startImporter } from '../../support/importer.ts'
import { openTestStore, type TestStore } from '../../support/store.ts'

/** How many moments are tried; more with RKT_TEST_CRASHES. */
const crashes = Number(process.env['RKT_TEST_CRASHES'] ?? 25)
const signal = new AbortController().signal

/** Removes every image and tree, so that the next import has everything to do. */
async function empty(one: TestStore): Promise<void> {
  const now = new Date(Date.now() + 1_000_000)
  await collectStore(one.store, { graceMs: 0, treesInUse: new Set(), imagesInUse: new Set(), now, signal, log: one.store.log })
}

/** What a crash may leave besides whole images: scratch, lock files, and a blob that no record names. */
async function checkTruth(one: TestStore): Promise<string> {
  const readings = one.store.readings()
  for (const reading of readings) {
    if (reading.kind !== 'image') return `a record is ${reading.kind}`
    const record = await one.acquire(reading.record.id)
    await ensureTree(one.store, record)
    const outcome = await verifyImage(one.store, record, { log: one.store.log, signal, inUse: true })
    if (outcome !== 'verified') return `a tree is ${outcome}`
    if ((await one.store.manifest(record)).name !== record.name) return 'a manifest is another one'
  }
  await empty(one)
  const left = filesBelow(join(one.dataDir, 'cas'))
  return left.length === 0 ? 'true' : `left: ${left.join(' ')}`
}

test(`an import that is killed at any of ${crashes} moments leaves a whole image or none`, async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app', { files: { 'usr/share/data': 'x'.repeat(3_000_000) } })
  const whole = await startImporter(one, [path]).end
  t.is(whole.code, 0, whole.errors)
  await empty(one)
  // The longest wait before a kill follows the load of the machine, so that most kills meet a living import.
  let longestMs = whole.times[0] ?? 100
  let killed = 0
  for (let moment = 0; moment < crashes; moment += 1) {
    const importer = startImporter(one, [path])
    await importer.ready
    await delay(longestMs * Math.random())
    importer.child.kill('SIGKILL')
    const { code } = await importer.end
    if (code === null) killed += 1
    longestMs *= code === null ? 1.1 : 0.8
    t.is(await checkTruth(one), 'true', `moment ${moment}`)
  }
  t.log(`${killed} of ${crashes} were killed before their end`)
  t.true(killed > crashes / 4)
})

test('a collection that is killed after the marker of a tree, or within a tree, is ended by the next one', async (t) => {
  using one = openTestStore()
  const record = await one.acquire(one.signedAci('app'))
  rmSync(join(one.store.treePath(record.treeID), 'rendered'))
  t.false(one.store.isRendered(record.treeID))
  t.is(await checkTruth(one), 'true')
})
