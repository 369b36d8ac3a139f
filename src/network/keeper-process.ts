import { readFileSync } from 'node:fs'
import { isErrno } from '../base/index.ts'

/** A process by what the kernel will not give to another. */
export interface KeeperProcess {
  readonly pid: number
  /** Clock ticks since the machine started. */
  readonly startTime: string
}

/** Whether the process still runs. */
export function isKeeperAlive({ pid, startTime }: KeeperProcess): boolean {
  try {
    return identify(pid).startTime === startTime
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false
    throw error
  }
}

/**
 * What tells the process that has this pid from others that had it; of a zombie, which holds nothing any more, the time is empty.
 * SPEC: proc(5), /proc/pid/stat: field 22, counted from behind the name, which may hold anything.
 */
export function identify(pid: number): KeeperProcess {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid, startTime: fields[0] === 'Z' ? '' : (fields[19] ?? '') }
}
