import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { lockDescriptor, lockFile } from '../../../src/base/index.ts'

function lockPath(t: ExecutionContext): string {
  const directory = mkdtempSync('/tmp/rkt-test-lock-')
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'locks', 'a')
}

test('lockFile() makes the file and its directory, for root alone', (t) => {
  const path = lockPath(t)
  using lock = lockFile(path, { mode: 'exclusive', wait: 'try' })
  t.truthy(lock)
  t.is(statSync(path).mode & 0o077, 0)
})

test('lockFile() gives undefined when another holds the lock, and the lock when that one has ended', (t) => {
  const path = lockPath(t)
  {
    using first = lockFile(path, { mode: 'exclusive', wait: 'try' })
    t.truthy(first)
    t.is(lockFile(path, { mode: 'exclusive', wait: 'try' }), undefined)
    t.is(lockFile(path, { mode: 'shared', wait: 'try' }), undefined)
  }
  using second = lockFile(path, { mode: 'exclusive', wait: 'try' })
  t.truthy(second)
})

test('lockFile() lets readers share', (t) => {
  const path = lockPath(t)
  using one = lockFile(path, { mode: 'shared', wait: 'try' })
  using two = lockFile(path, { mode: 'shared', wait: 'try' })
  t.truthy(one)
  t.truthy(two)
  t.is(lockFile(path, { mode: 'exclusive', wait: 'try' }), undefined)
})

test('lockFile() never takes the lock of a file that was removed for that of the new one', (t) => {
  const path = lockPath(t)
  using old = lockFile(path, { mode: 'exclusive', wait: 'try' })
  t.truthy(old)
  unlinkSync(path)
  using fresh = lockFile(path, { mode: 'exclusive', wait: 'try' })
  t.is(statSync(path).ino, statSync(`/proc/self/fd/${fresh?.fd}`).ino)
})

test('lockFile() does not follow a symbolic link', (t) => {
  const path = lockPath(t)
  const directory = join(path, '../..')
  writeFileSync(join(directory, 'target'), '')
  symlinkSync('target', join(directory, 'link'))
  t.throws(() => lockFile(join(directory, 'link'), { mode: 'exclusive', wait: 'try' }), { code: 'ELOOP' })
})

test('lockFile() waits for another process, and gets the lock when that is killed', async (t) => {
  const path = lockPath(t)
  lockFile(path, { mode: 'shared', wait: 'try' })?.[Symbol.dispose]()
  const holder = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo locked; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  t.is(lockFile(path, { mode: 'exclusive', wait: 'try' }), undefined)
  holder.kill('SIGKILL')
  using lock = lockFile(path, { mode: 'exclusive', wait: 'block' })
  t.truthy(lock)
  await once(holder, 'close')
})

test('lockDescriptor() locks a directory', (t) => {
  const directory = join(lockPath(t), '../..')
  const [one, two] = [openSync(directory, 'r'), openSync(directory, 'r')]
  t.true(lockDescriptor(one, { mode: 'exclusive', wait: 'try' }))
  t.false(lockDescriptor(two, { mode: 'shared', wait: 'try' }))
  closeSync(one)
  t.true(lockDescriptor(two, { mode: 'shared', wait: 'try' }))
  closeSync(two)
})
