import { readlinkSync } from 'node:fs'
import { isErrno } from '../base/index.ts'
import { listenForInterrupt } from './interrupt.ts'
import { runProgram } from './program.ts'

async function main(): Promise<never> {
  const interrupt = listenForInterrupt()
  const status = await runProgram({
    argv: process.argv.slice(2),
    env: process.env,
    cwd: currentDirectory(),
    euid: process.geteuid?.() ?? -1,
    egid: process.getegid?.() ?? -1,
    now: Date.now,
    interrupt,
  })
  const received = interrupt.received()
  // The caller must see that a signal ended us, as it would without our clean-up.
  if (received !== undefined && status !== 0) process.kill(process.pid, received)
  return process.exit(status)
}

/** One that was removed has its old name with ` (deleted)` behind it: relative paths are then told as missing, others still work. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    return readlinkSync('/proc/self/cwd')
  }
}

void main()
