import test from 'ava'
import { mappedIdCount, parseIdMap } from '../../../src/base/index.ts'

test('parseIdMap() knows the map of the host from all others', (t) => {
  t.is(parseIdMap('         0          0 4294967295\n'), undefined)
  t.is(parseIdMap('         0       1000          1\n         1     100000      65536\n'), 65_537)
  t.is(parseIdMap('         0       1000          1\n'), 1)
  t.is(parseIdMap('         0          0      65536\n'), 65_536)
})

test('parseIdMap() counts up to the first gap', (t) => {
  t.is(parseIdMap('0 1000 1\n1 100000 10\n20 200000 10\n'), 11)
  t.is(parseIdMap('5 1000 1\n'), 0)
  t.is(parseIdMap(''), 0)
})

test('root of the host can name every id', (t) => {
  t.is(mappedIdCount(), undefined)
})
