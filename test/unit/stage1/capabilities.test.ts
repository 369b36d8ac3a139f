import test from 'ava'
import { makeIsolator } from '../../../src/spec/index.ts'
import { boundingSet } from '../../../src/stage1/capabilities.ts'

const retain = (set: string[]) => makeIsolator('os/linux/capabilities-retain-set', { set })
const remove = (set: string[]) => makeIsolator('os/linux/capabilities-remove-set', { set })

test('boundingSet() gives the default of the original', (t) => {
  t.is(boundingSet([], { unrestricted: false }), 0xa80425fbn)
})

test('boundingSet() lets a retain-set replace the default, whatever the case of its names', (t) => {
  t.is(boundingSet([retain(['CAP_NET_ADMIN', 'cap_chown'])], { unrestricted: false }), (1n << 12n) | 1n)
})

test('boundingSet() takes a remove-set from the default', (t) => {
  t.is(boundingSet([remove(['CAP_CHOWN', 'CAP_SYS_ADMIN'])], { unrestricted: false }), 0xa80425fan)
})

test('boundingSet() refuses both kinds together and unknown names', (t) => {
  t.throws(() => boundingSet([retain(['CAP_CHOWN']), remove(['CAP_KILL'])], { unrestricted: false }), {
    message: 'cannot have both os/linux/capabilities-retain-set and os/linux/capabilities-remove-set',
  })
  t.throws(() => boundingSet([retain(['CAP_EVERYTHING'])], { unrestricted: false }), { message: /capability "CAP_EVERYTHING": unknown/ })
})

test('boundingSet() holds all when restrictions are off', (t) => {
  t.is(boundingSet([retain(['CAP_CHOWN'])], { unrestricted: true }), (1n << 41n) - 1n)
})
