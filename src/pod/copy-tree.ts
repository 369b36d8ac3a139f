import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { escapeText, quote, RktError } from '../base/index.ts'

const cp = '/bin/cp'

export interface CopyOptions {
  /** Descriptor whose lock the copying process shares: while it writes, the lock is held, even when this process was killed. */
  readonly lockFd: number
  readonly signal: AbortSignal | undefined
}

/**
 * Copies a directory tree with owners, times and extended attributes, sharing blocks where the file system can.
 *
 * @throws RktError `child-failed` with the first line that cp(1) wrote; the signal's reason when that fires.
 */
export async function copyTree(from: string, to: string, { lockFd, signal }: CopyOptions): Promise<void> {
  signal?.throwIfAborted()
  const child = spawn(cp, ['-a', '--reflink=auto', '--no-target-directory', '--', from, to], {
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe', lockFd],
  })
  const stop = (): void => {
    child.kill('SIGKILL')
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const [status, complaint] = await Promise.all([ended, child.stderr === null ? '' : text(child.stderr)])
    signal?.throwIfAborted()
    if (status !== 0) throw new RktError('child-failed', `cannot copy ${quote(from)} to ${quote(to)}: ${escapeText(complaint.split('\n')[0] ?? '')}`)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
