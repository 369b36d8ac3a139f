import { type PodUUID, RktError } from '../base/index.ts'
import { openInStage, type Pod } from './pod.ts'
import type { Pods } from './pods.ts'

/**
 * Takes a prepared pod for running: locks it, then renames it to `run`, so that it is never seen there without a lock.
 *
 * @throws RktError `wrong-state` when the pod is not prepared, or another process was faster.
 */
export function takePrepared(pods: Pods, uuid: PodUUID): Pod {
  const pod = openInStage(pods.dataDir, uuid, 'prepared')
  if (pod === undefined) throw notPrepared(uuid)
  try {
    if (!pod.lock()) throw notPrepared(uuid)
    pod.toRun()
    return pod
  } catch (error) {
    pod[Symbol.dispose]()
    throw error
  }
}

function notPrepared(uuid: PodUUID): RktError {
  return new RktError('wrong-state', `pod "${uuid}" is not prepared`)
}
