import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { libraryFile } from '../../src/base/index.ts'

/** Waits for the unpacker that the process `parent` has started, until its system call filter is on. */
export async function waitForUnpacker(parent: number): Promise<number> {
  for (let i = 0; i < 5000; i++) {
    for (const pid of childrenOf(parent)) {
      if (isUnpacker(pid) && readStatus(pid)['Seccomp'] === '2') return pid
    }
    await sleep(1)
  }
  throw new Error('no unpacker has appeared')
}

/** Kills every unpacker that `parent` has started. */
export function killUnpackers(parent: number): void {
  for (const pid of childrenOf(parent)) if (isUnpacker(pid)) process.kill(pid, 'SIGKILL')
}

/** Waits until a process is gone, or is a zombie that nobody has collected yet. */
export async function waitUntilGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 2000; i++) {
    const state = readStatus(pid)['State'] ?? 'Z'
    if (state.startsWith('Z')) return true
    await sleep(1)
  }
  return false
}

/** The fields of `/proc/PID/status`; none when the process is gone. */
export function readStatus(pid: number): Readonly<Record<string, string>> {
  const text = readIfThere(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? ''
  return Object.fromEntries(text.split('\n').map((line) => [line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1).trim()]))
}

function childrenOf(parent: number): readonly number[] {
  const texts = (readIfThere(() => readdirSync(`/proc/${parent}/task`)) ?? []).map(
    (task) => readIfThere(() => readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8')) ?? '',
  )
  return texts.join(' ').split(' ').filter((pid) => pid !== '').map(Number)
}

function isUnpacker(pid: number): boolean {
  return readIfThere(() => readlinkSync(`/proc/${pid}/exe`))=== libraryFile('unpack')
}

/** A process may end between any two looks at it. */
function readIfThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
