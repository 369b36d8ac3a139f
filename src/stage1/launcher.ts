import { spawnSync } from 'node:child_process'
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
