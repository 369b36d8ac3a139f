import test from 'ava'
import { errorCodes, isRktError, RktError, unreachable } from '../../../src/base/index.ts'

test('RktError carries code, hint, cause and exit status', (t) => {
  const cause = new Error('below')
  const error = new RktError('missing-volume', 'cannot mount', { hint: 'make it', cause, exitStatus: 1 })
  t.like(error, { name: 'RktError', code: 'missing-volume', message: 'cannot mount', hint: 'make it', cause, exitStatus: 1 })
  t.true(error instanceof Error)
})

test('RktError exits with 254 and has no hint and no cause unless told otherwise', (t) => {
  const error = new RktError('io', 'x')
  t.is(error.exitStatus, 254)
  t.is(error.hint, undefined)
  t.false('cause' in error)
})

test('isRktError() matches any of the codes, or any failure of ours', (t) => {
  const error = new RktError('io', 'x')
  t.true(isRktError(error))
  t.true(isRktError(error, 'usage', 'io'))
  t.false(isRktError(error, 'usage'))
  t.false(isRktError(new Error('x')))
  t.false(isRktError({ code: 'io' }))
})

test('errorCodes has no code twice, and only words with dashes', (t) => {
  t.is(new Set(errorCodes).size, errorCodes.length)
  for (const code of errorCodes) t.regex(code, /^[a-z]+(-[a-z]+)*$/)
})

test('unreachable() is a mistake of ours, not a failure for users', (t) => {
  // SAFETY: what the type forbids is what this test is about.
  const error = t.throws(() => unreachable('surprise' as never))
  t.false(isRktError(error))
})
