import { closeSync } from 'node:fs'
import { binding, isErrno, isRktError } from '../base/index.ts'
import { type Pod, readPid, waitForExit, waitForStart } from '../pod/index.ts'
import { stopTimeoutMs } from './supervision.ts'

const SIGKILL = 9
const SIGTERM = 15

/** What the end of a pod may take after its last app: networks, groups, the directory. */
const endMs = 5000

export interface StopOptions {
  readonly pod: Pod
  /** SIGKILL at once instead of SIGTERM first. */
  readonly force: boolean
  /** How long to wait for the end; 0 waits as long as the pod gives its apps. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Ends a running pod: its init passes SIGTERM on, and kills after the pod's stop timeout. Returns whether the pod has ended in time. */
export async function stopPod({ pod, force, timeoutMs, signal }: StopOptions): Promise<boolean> {
  const patienceMs = timeoutMs > 0 ? timeoutMs : stopTimeoutMs + endMs
  try {
    // Between its lock and its first app a pod has no init that could be told.
    if (readPid(pod) === undefined) await waitForStart(pod, { timeoutMs: patienceMs, signal })
    signalInit(pod, force ? SIGKILL : SIGTERM)
    await waitForExit(pod, { timeoutMs: patienceMs, signal })
    return true
  } catch (error) {
    // A pod that removes itself at its end has ended too.
    if (isRktError(error, 'not-found')) return true
    if (isRktError(error, 'timeout')) return false
    throw error
  }
}

/** The descriptor pins the process: the pid file is read again after opening it, so that a pid with a new owner is never hit. */
function signalInit(pod: Pod, signal: number): void {
  const pid = readPid(pod)
  if (pid === undefined) return
  let pidfd: number
  try {
    pidfd = binding().pidfdOpen(pid)
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return
    throw error
  }
  try {
    if (readPid(pod) === pid) binding().pidfdSignal(pidfd, signal)
  } finally {
    closeSync(pidfd)
  }
}
