import test from 'ava'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { parseSubordinateIds } from '../../../src/pod/index.ts'
import { chooseIdRange, readIdRange } from '../../../src/pod/id-range.ts'
import { makePlace } from './fixtures/sample.ts'

const count = 65_536

test('a range is a multiple of 65536 from 1 to 0x7fff, written to the pod', (t) => {
  using place = makePlace()
  using pod = place.pods.create()
  const range = chooseIdRange(pod, { reserved: [] })
  t.is(range.count, count)
  t.is(range.shift % count, 0)
  t.true(range.shift >= count && range.shift <= 0x7fff * count)
  t.is(readFileSync(pod.inside('private-users-prepared'), 'utf8'), `${range.shift}:${count}`)
  t.deepEqual(readIdRange(pod.dir), range)
})

test('the one range that is left is found, and then there is none', (t) => {
  using place = makePlace()
  using pod = place.pods.create()
  using late = place.pods.create()
  const free = 0x1234
  const reserved = [{ shift: 0, count: free * count }, { shift: (free + 1) * count, count: 0x8000 * count }]
  t.deepEqual(chooseIdRange(pod, { reserved }), { shift: free * count, count })
  t.throws(() => chooseIdRange(late, { reserved }), { code: 'limit-exceeded', message: /all 32767 ranges are in use$/ })
  t.false(existsSync(late.inside('private-users-prepared')))
})

test('a range that overlaps a promised one by a single id is not taken', (t) => {
  using place = makePlace()
  using pod = place.pods.create()
  const reserved = [{ shift: 0, count: 5 * count + 1 }, { shift: 7 * count - 1, count: 0x8000 * count }]
  t.throws(() => chooseIdRange(pod, { reserved }), { code: 'limit-exceeded' })
})

test('pods in every stage keep their ranges, also with damaged neighbours', (t) => {
  using place = makePlace()
  using pod = place.pods.create()
  for (const [index, stage] of ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'].entries()) {
    const directory = join(place.dataDir, 'pods', stage, randomUUID())
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'private-users-prepared'), `${(index + 1) * count}:${count}`)
    const damaged = join(place.dataDir, 'pods', stage, randomUUID())
    mkdirSync(damaged)
    writeFileSync(join(damaged, 'private-users-prepared'), 'nonsense')
  }
  const reserved = [{ shift: 8 * count, count: 0x8000 * count }]
  t.is(chooseIdRange(pod, { reserved }).shift, 7 * count)
})

test('parseSubordinateIds() reads entries and skips the rest', (t) => {
  t.deepEqual(parseSubordinateIds('# users\nann:100000:65536\n\n1000:231072:65536\nbad:x:1\n'), [
    { shift: 100_000, count: 65_536 },
    { shift: 231_072, count: 65_536 },
  ])
})
