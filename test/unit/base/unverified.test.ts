import test from 'ava'
import { reveal, unverified } from '../../../src/base/index.ts'

test('unverified() hides its value from everything but reveal()', (t) => {
  const box = unverified({ secret: 1 })
  t.deepEqual(Object.keys(box), [])
  t.is(JSON.stringify(box), '{}')
  t.deepEqual(reveal(box, 'discard'), { secret: 1 })
})
