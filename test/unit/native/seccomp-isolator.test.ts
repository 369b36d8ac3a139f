import test from 'ava'
import { constants } from 'node:os'
import { originalCalls, originalRefusals, refusedCalls } from '../../../src/stage1/seccomp-calls.ts'
import { allowedByDefault, defaultProfile } from '../../../src/stage1/seccomp-default.ts'
import { profileForIsolators } from '../../../src/stage1/seccomp-isolator.ts'
import { profileText } from '../../../src/stage1/seccomp-profile.ts'
import { remove, retain } from '../../support/isolators.ts'

test('the lists of the original are whole: 309 allowed, 52 refused', (t) => {
  const allowed = originalCalls.flatMap((group) => group.calls)
  t.is(allowed.length, 309)
  t.is(new Set(allowed).size, 309)
  t.is(new Set(originalRefusals.calls).size, 52)
})

test('every group has a reason, and no call is both allowed and refused', (t) => {
  for (const group of [...originalCalls, ...refusedCalls]) t.true(group.reason.length > 10)
  for (const call of refusedCalls.flatMap((group) => group.calls)) t.false(allowedByDefault.has(call), call)
})

test('no isolator, or remove-set @appc.io/empty, or a set of unknown wildcards, is the default filter', (t) => {
  t.deepEqual(profileForIsolators([]), defaultProfile())
  t.deepEqual(profileForIsolators([remove(['@appc.io/empty'])]), defaultProfile())
  t.deepEqual(profileForIsolators([retain(['@nobody/knows'])]), defaultProfile())
})

test('retain-set @appc.io/all is no filter', (t) => {
  t.is(profileForIsolators([retain(['@appc.io/all'])]), undefined)
})

test('remove-set @appc.io/empty with an errno answers it where the default filter answers EPERM', (t) => {
  const profile = profileForIsolators([remove(['@appc.io/empty'], 'EACCES')])
  t.deepEqual(profile?.otherwise, { errno: constants.errno.EACCES })
  t.deepEqual(profile?.rules.find((rule) => rule.call === 'mount')?.action, { errno: constants.errno.EACCES })
})

test('a retain-set keeps what every program needs to start', (t) => {
  const text = profileText(profileForIsolators([retain(['read'])]) ?? defaultProfile())
  t.regex(text, /^default kill$/m)
  for (const call of ['read', 'execve', 'exit_group', 'rt_sigreturn']) t.true(text.includes(`\nallow ${call}\n`), call)
  t.false(text.includes('write'))
})

test('the groups of systemd are known', (t) => {
  const text = profileText(profileForIsolators([remove(['@systemd/clock', '@systemd/raw-io'])]) ?? defaultProfile())
  t.true(text.includes('\nkill settimeofday\n'))
  t.true(text.includes('\nkill ioperm\n'))
})

test('two isolators, an unknown errno and a name with a newline are refused', (t) => {
  t.throws(() => profileForIsolators([retain(['read']), remove(['write'])]), { code: 'invalid-manifest', message: 'too many seccomp isolators specified' })
  t.throws(() => profileForIsolators([retain(['read'], 'EFOO')]), { code: 'invalid-manifest', message: /errno "EFOO" is unknown/ })
  t.throws(() => profileForIsolators([retain(['read\nallow mount'])]), { code: 'invalid-manifest', message: /"read\\nallow mount" is not the name of a system call/ })
})
