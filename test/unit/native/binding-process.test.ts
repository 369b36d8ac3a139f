import test from 'ava'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { binding, libraryFile } from '../../../src/base/index.ts'

/** Runs `code` in a fresh Node that has the binding as `b`, with descriptors 3 and 4 open. */
function inChild(code: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const program = `const b = require(${JSON.stringify(libraryFile('binding.node'))}); const fs = require('fs'); ${code}`
  return spawnSync(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'ignore'], encoding: 'utf8' })
}

test('execLauncher() replaces the process and keeps exactly the descriptors that it is told', (t) => {
  const { status, stdout, stderr } = inChild(`
    const kept = fs.openSync('/dev/zero', 'r')
    b.execLauncher('/bin/sh', ['sh', '-c', 'echo $$ $MARK; ls -l /proc/$$/fd'], ['MARK=' + process.pid, 'PATH=/usr/bin:/bin'], [kept])`)
  t.is(status, 0, stderr)
  const [ids, ...targets] = stdout.trimEnd().split('\n')
  const [pid, mark] = (ids ?? '').split(' ')
  t.is(pid, mark, 'the process number stays')
  t.is(targets.filter((target) => target.endsWith('-> /dev/zero')).length, 1)
  t.is(targets.filter((target) => target.endsWith('-> /dev/null')).length, 1, 'descriptor 0, and not 3 and 4')
})

test('a signal that comes after holdSignals() waits for the program that replaces the process', (t) => {
  const { status, stdout } = inChild(`
    process.on('SIGTERM', () => undefined)
    b.holdSignals()
    process.kill(process.pid, 'SIGTERM')
    b.execLauncher('/bin/grep', ['grep', 'Pnd', '/proc/self/status'], [], [])`)
  t.is(status, 0)
  const pending = [...stdout.matchAll(/Pnd:\t([0-9a-f]+)/g)].reduce((all, [, bits = '0']) => all | BigInt(`0x${bits}`), 0n)
  t.is(pending, 1n << 14n)
})

test('execLauncher() throws when the program is missing, without arguments, or when a descriptor is closed', (t) => {
  t.throws(() => binding().execLauncher('/absent', [], [], []), { instanceOf: TypeError })
  const { stdout } = inChild(`
    const say = (f) => { try { f() } catch (e) { fs.writeSync(1, e.code + ' ' + e.syscall + '\\n') } }
    say(() => b.execLauncher('/absent', ['x'], [], []))
    say(() => b.execLauncher('/bin/true', ['x'], [], [99]))`)
  t.is(stdout, 'ENOENT execve\nEBADF fcntl\n')
})

test('pidfdSignal() signals a live process, and answers false when it is gone', async (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  const pidfd = binding().pidfdOpen(child.pid ?? 0)
  t.true(binding().pidfdSignal(pidfd, 0))
  t.true(binding().pidfdSignal(pidfd, 9))
  await once(child, 'exit')
  t.false(binding().pidfdSignal(pidfd, 9))
  closeSync(pidfd)
})

test('pidfdOpen() names the errno of a process that does not exist', (t) => {
  // Linux numbers processes up to 2^22.
  t.throws(() => binding().pidfdOpen(2 ** 22 + 1), { code: 'ESRCH' })
})
