import { spawn } from 'node:child_process'
import { binding, LOCK_UN, RktError } from '../base/index.ts'

const flock = '/usr/bin/flock'

/**
 * Waits until nobody holds the exclusive lock of the open directory `fd`.
 *
 * The kernel tells the end of a lock only to a flock(2) that blocks, which would stop this process. So flock(1) blocks on the
 * inherited descriptor instead, and is ended when `signal` fires.
 */
export async function untilUnlocked(fd: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const child = spawn(flock, ['--shared', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd], env: {} })
  const stop = (): void => {
    child.kill('SIGKILL')
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', (cause) => reject(new RktError('missing-tool', `cannot wait for a pod: ${flock} does not start`, { cause, hint: 'install util-linux' })))
      child.once('exit', (code) => {
        if (code === 0 || signal.aborted) resolve()
        else reject(new RktError('child-failed', `cannot wait for a pod: ${flock} ended with ${code ?? 'a signal'}`))
      })
    })
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', stop)
    // The lock belongs to the descriptor that both processes shared.
    binding().flock(fd, LOCK_UN)
  }
}
