import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { libraryFile, RktError } from '../base/index.ts'

/** The launcher of stage1, installed beside the bundle. */
export function launcherPath(): string {
  return libraryFile('launcher')
}

export interface RunLauncherOptions {
  /** `hold` or `end`, then numbers; the descriptors in `descriptors` are 3, 4, … in the launcher. */
  readonly argv: readonly string[]
  readonly descriptors: readonly number[]
  readonly timeoutMs: number
}

/**
 * Runs the launcher to its end, for what is done beside a pod.
 *
 * @throws RktError `launcher` with the launcher's own line.
 */
export function runLauncher(options: RunLauncherOptions): void {
  const result = spawnSync(launcherPath(), options.argv, {
    env: {},
    stdio: ['ignore', 'ignore', 'pipe', ...options.descriptors],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  })
  if (result.status === 0) return
  const line = result.stderr?.toString().trim() ?? ''
  throw new RktError('launcher', line === '' ? `cannot run the launcher: ${result.error?.message ?? `status ${result.status ?? result.signal}`}` : line, {
    cause: result.error,
  })
}

export interface AskLauncherOptions {
  readonly argv: readonly string[]
  readonly descriptors: readonly number[]
  readonly signal: AbortSignal
}

/**
 * Runs a client of a pod's control socket to its end.
 *
 * @throws the signal's reason; RktError `launcher` with the launcher's own line.
 */
export async function askLauncher({ argv, descriptors, signal }: AskLauncherOptions): Promise<void> {
  signal.throwIfAborted()
  const child = spawn(launcherPath(), argv, { env: {}, stdio: ['ignore', 'ignore', 'pipe', ...descriptors] })
  const stop = (): void => {
    child.kill('SIGKILL')
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) => reject(new RktError('launcher', 'cannot run the launcher', { cause })))
      child.once('close', resolve)
    })
    const [status, complaint] = await Promise.all([ended, child.stderr === null ? '' : text(child.stderr)])
    signal.throwIfAborted()
    if (status !== 0) throw new RktError('launcher', complaint.trim() === '' ? `cannot talk to the pod: status ${status ?? 'unknown'}` : complaint.trim())
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
