import { readlinkSync } from 'node:fs'
import { isErrno } from '../base/index.ts'
import type { Rootless } from './context.ts'
import { listenForInterrupt } from './interrupt.ts'
import { runProgram } from './program.ts'

async function main(): Promise<never> {
  const interrupt = listenForInterrupt()
  const rootless = readRootless(process.env['RKT_ROOTLESS'])
  const status = await runProgram({
    argv: process.argv.slice(2),
    env: process.env,
    cwd: currentDirectory(),
    euid: process.geteuid?.() ?? -1,
    egid: process.getegid?.() ?? -1,
    ...(rootless === undefined ? {} : { rootless }),
    now: Date.now,
    interrupt,
  })
  const received = interrupt.received()
  // The caller must see that a signal ended us, as it would without our clean-up.
  if (received !== undefined && status !== 0) process.kill(process.pid, received)
  return process.exit(status)
}

function readRootless(text: string | undefined): Rootless | undefined {
  if (text === undefined || text === '') return undefined
  return text === 'entered' ? { kind: 'entered' } : { kind: 'refused', reason: text }
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
