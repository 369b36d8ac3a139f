import test from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lockDescriptor } from '../../../src/base/index.ts'
import { copyTrees } from '../../../src/pod/copy-tree.ts'
import { temporaryDirectory } from '../../support/temp.ts'

test('copyTrees() names what cannot be copied', async (t) => {
  using directory = temporaryDirectory()
  const lockFd = openSync(directory.path, constants.O_RDONLY)
  const error = await t.throwsAsync(copyTrees([directory.in('missing')], directory.in('to'), { lockFd, signal: undefined }), { code: 'child-failed' })
  t.regex(error.message, /^cannot copy ".*\/missing" to ".*\/to": .*No such file or directory$/)
})

test('copyTrees() does not start when the command was interrupted', async (t) => {
  using directory = temporaryDirectory()
  mkdirSync(directory.in('from'))
  const lockFd = openSync(directory.path, constants.O_RDONLY)
  await t.throwsAsync(copyTrees([directory.in('from')], directory.in('to'), { lockFd, signal: AbortSignal.abort(new Error('stop')) }), { message: 'stop' })
  t.deepEqual(readdirSync(directory.path), ['from'])
})

test('a program that holds a lock for its maker dies with it', async (t) => {
  using directory = temporaryDirectory()
  const program = fileURLToPath(new URL('fixtures/holding-child.js', import.meta.url))
  const maker = spawn(process.execPath, [program, directory.path], { stdio: ['ignore', 'pipe', 'inherit'], env: {} })
  await once(maker.stdout, 'data')
  const fd = openSync(directory.path, constants.O_RDONLY)
  t.false(lockDescriptor(fd, { mode: 'exclusive', wait: 'try' }))
  const exit = once(maker, 'exit')
  maker.kill('SIGKILL')
  await exit
  t.true(lockDescriptor(fd, { mode: 'exclusive', wait: 'block' }))
  const pid = Number(readFileSync(directory.in('pid'), 'utf8'))
  // The kernel lets go of the lock a moment before the process has ended.
  for (let tries = 0; tries < 500 && isAlive(pid); tries += 1) await setTimeout(10)
  t.false(isAlive(pid))
})

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}
