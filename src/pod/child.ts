import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { escapeText, RktError } from '../base/index.ts'

/** Ends the program together with this process, however that ends. */
const leash = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] as const

export interface ChildOptions {
  /** What the program does for us, for messages: `copy "x" to "y"`. */
  readonly action: string
  /** The program's descriptor 3. */
  readonly fd: number
  readonly signal: AbortSignal | undefined
}

/**
 * Runs a program of the system to its end, with an empty environment but for the C locale.
 *
 * @throws the signal's reason; RktError `missing-tool`, or `child-failed` with the first line that the program wrote.
 */
export async function runChild(argv: readonly string[], { action, fd, signal }: ChildOptions): Promise<void> {
  signal?.throwIfAborted()
  const [setpriv, ...words] = leash
  const child = spawn(setpriv, [...words, ...argv], { env: { LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe', fd] })
  const stop = (): void => {
    child.kill('SIGKILL')
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) => reject(new RktError('missing-tool', `cannot ${action}: ${setpriv} does not start`, { cause, hint: 'install util-linux' })))
      child.once('close', resolve)
    })
    const [status, complaint] = await Promise.all([ended, child.stderr === null ? '' : text(child.stderr)])
    signal?.throwIfAborted()
    if (status !== 0) throw new RktError('child-failed', `cannot ${action}: ${escapeText(complaint.split('\n')[0] || `${argv[0] ?? ''} was killed`)}`)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
