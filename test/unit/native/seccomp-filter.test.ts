import test from 'ava'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { Isolator } from '../../../src/spec/index.ts'
import { defaultProfile } from '../../../src/stage1/seccomp-default.ts'
import { seccompFilter } from '../../../src/stage1/seccomp-filter.ts'
import { profileForIsolators } from '../../../src/stage1/seccomp-isolator.ts'
import type { SeccompProfile } from '../../../src/stage1/seccomp-profile.ts'
import { retain, remove } from '../../support/isolators.ts'
import { probe } from '../../support/paths.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const { EPERM, ENOSYS, EAFNOSUPPORT, EBADF, EFAULT, EACCES } = constants.errno

/** What each call answers under the filter: `ok`, an errno, or `killed 31`. */
async function answers(profile: SeccompProfile | undefined, names: readonly string[] = []): Promise<ReadonlyMap<string, string>> {
  using dir = temporaryDirectory()
  if (profile === undefined) throw new Error('no filter')
  writeFileSync(dir.in('filter'), await seccompFilter(profile, { cacheDir: dir.in('cache') }))
  const output = execFileSync(probe('try-syscall'), ['--filter', dir.in('filter'), ...names], { encoding: 'utf8' })
  const pairs = output.trimEnd().split('\n').map((line): readonly [string, string] => {
    const [name = '', ...answer] = line.split(' ')
    return [name, answer.join(' ')]
  })
  return new Map(pairs)
}

const under = (isolator: Isolator, names: readonly string[]): Promise<ReadonlyMap<string, string>> => answers(profileForIsolators([isolator]), names)

test('the default filter lets calls of today through', async (t) => {
  const got = await answers(defaultProfile())
  for (const name of ['getpid', 'landlock', 'clone-fork', 'socket-unix', 'personality-query', 'personality-linux']) t.is(got.get(name), 'ok', name)
  for (const name of ['openat2', 'statx', 'faccessat2', 'mknodat', 'chroot']) t.is(got.get(name), String(EFAULT), name)
  t.is(got.get('ioctl-tcgets'), String(EBADF))
  t.is(got.get('ptrace'), '3')
})

test('the default filter answers EPERM to calls that reach host or kernel', async (t) => {
  const got = await answers(defaultProfile())
  const refused = `unshare setns mount umount2 open_tree mount_setattr pivot_root keyctl add_key bpf perf_event_open userfaultfd
    open_by_handle_at syslog reboot kexec_load personality-norandom`
  for (const name of refused.split(/\s+/)) t.is(got.get(name), String(EPERM), name)
})

test('C14: new namespaces are refused in clone, and clone3 is absent so that the C library calls clone', async (t) => {
  const got = await answers(defaultProfile())
  t.is(got.get('clone-newuser'), String(EPERM))
  t.is(got.get('clone-newns'), String(EPERM))
  t.is(got.get('clone3'), String(ENOSYS))
})

test('C8: terminal input is refused, also with bits above the 32nd in the request', async (t) => {
  const got = await answers(defaultProfile())
  for (const name of ['ioctl-tiocsti', 'ioctl-tiocsti-high', 'ioctl-tioclinux', 'ioctl-tioclinux-high']) t.is(got.get(name), String(EPERM), name)
})

test('socket families outside the network namespace are as if the kernel lacked them', async (t) => {
  const got = await answers(defaultProfile())
  for (const name of ['socket-alg', 'socket-alg-high', 'socket-vsock']) t.is(got.get(name), String(EAFNOSUPPORT), name)
})

test('io_uring, x32 and calls that nobody knows are absent; 32-bit programs run under the same rules', async (t) => {
  const got = await answers(defaultProfile())
  for (const name of ['io_uring_setup', 'x32-getpid', 'unknown']) t.is(got.get(name), String(ENOSYS), name)
  t.is(got.get('i386-getpid'), 'ok')
  t.is(got.get('i386-mount'), String(EPERM))
})

test('a retain-set without errno kills what it does not name', async (t) => {
  const got = await under(retain(['@rkt/default-whitelist']), ['getpid', 'mount', 'unknown', 'clone3', 'clone-newuser', 'ioctl-tiocsti'])
  t.deepEqual([...got.values()].map(String), ['ok', String(ENOSYS), String(EPERM), 'killed 31', String(EPERM), 'killed 31'])
})

test('a retain-set with errno answers it, and names more than the default on request', async (t) => {
  const got = await under(retain(['@rkt/default-whitelist', 'mount', 'unshare'], 'EACCES'), ['mount', 'unshare', 'setns', 'clone-newuser'])
  t.is(got.get('mount'), String(EFAULT))
  t.is(got.get('unshare'), 'ok')
  t.is(got.get('setns'), String(EACCES))
  t.is(got.get('clone-newuser'), 'ok')
})

test('a remove-set blocks what it names and nothing else, but terminal input stays refused', async (t) => {
  const got = await under(remove(['mknodat', 'chroot'], 'EACCES'), ['mknodat', 'chroot', 'mount', 'unshare', 'ioctl-tiocsti', 'x32-getpid'])
  t.is(got.get('mknodat'), String(EACCES))
  t.is(got.get('chroot'), String(EACCES))
  t.is(got.get('mount'), String(EFAULT))
  t.is(got.get('unshare'), 'ok')
  t.is(got.get('ioctl-tiocsti'), String(EPERM))
  t.is(got.get('x32-getpid'), String(ENOSYS))
})

test('the default blacklist blocks namespaces, and processes can still be made', async (t) => {
  const got = await under(remove(['@rkt/default-blacklist']), ['clone-fork', 'clone-newuser', 'mount', 'personality-linux', 'getpid'])
  t.deepEqual(Object.fromEntries(got), { getpid: 'ok', 'clone-fork': 'ok', 'clone-newuser': '1', mount: 'killed 31', 'personality-linux': 'ok' })
})

test('a remove-set with a call that nobody knows is refused, since it could not be blocked', async (t) => {
  await t.throwsAsync(under(remove(['no_such_call']), []), {
    code: 'invalid-manifest',
    message: 'cannot compile a seccomp filter: unknown system call "no_such_call"',
  })
})

test('seccompFilter() compiles once, keeps the result for root alone, and distrusts what others could write', async (t) => {
  using dir = temporaryDirectory()
  const profile: SeccompProfile = { otherwise: { errno: EACCES }, architectures: [], rules: [{ call: 'read', action: 'allow' }] }
  const first = await seccompFilter(profile, { cacheDir: dir.in('a/seccomp') })
  const [name = ''] = readdirSync(dir.in('a/seccomp'))
  const path = dir.in('a/seccomp', name)
  t.regex(name, /^[0-9a-f]{64}\.bpf$/)
  t.is(statSync(path).mode & 0o022, 0)
  const forged = Buffer.alloc(8)
  writeFileSync(path, forged)
  t.deepEqual(Buffer.from(await seccompFilter(profile, { cacheDir: dir.in('a/seccomp') })), forged, 'the cache is read')
  chmodSync(path, 0o666)
  t.deepEqual(await seccompFilter(profile, { cacheDir: dir.in('a/seccomp') }), first)
  mkdirSync(dir.in('b'))
  writeFileSync(dir.in('forged'), forged)
  symlinkSync(dir.in('forged'), dir.in('b', name))
  t.deepEqual(await seccompFilter(profile, { cacheDir: dir.in('b') }), first)
})
