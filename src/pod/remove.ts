import { type Log, RktError, unreachable } from '../base/index.ts'
import { destroyPod, type Teardown } from './destroy.ts'
import type { Pod } from './pod.ts'

export interface RemovePodOptions {
  readonly teardown: Teardown
  readonly log: Log
}

/**
 * Removes a pod that is not in use, at once.
 *
 * @throws RktError `busy` while it is being prepared, run or deleted; `not-found` when another process has moved or removed it.
 */
export async function removePod(pod: Pod, options: RemovePodOptions): Promise<void> {
  toGarbage(pod, options.log)
  if (!(await destroyPod(pod, options.teardown))) throw inUse(pod, 'deleted')
}

function toGarbage(pod: Pod, log: Log): void {
  switch (pod.state) {
    case 'running':
      throw new RktError('busy', `pod "${pod.uuid}" is currently running`, { hint: `rkt stop ${pod.uuid}` })
    case 'embryo':
    case 'preparing':
      throw inUse(pod, 'prepared')
    case 'exited deleting':
    case 'deleting':
      throw inUse(pod, 'deleted')
    case 'aborted prepare':
      log.info(`moving failed prepare "${pod.uuid}" to garbage`)
      return pod.moveTo('garbage')
    case 'prepared':
      log.info(`moving expired prepared pod "${pod.uuid}" to garbage`)
      return pod.moveTo('garbage')
    case 'exited':
      return pod.moveTo('exited-garbage')
    case 'exited garbage':
    case 'garbage':
      return
    default:
      return unreachable(pod.state)
  }
}

function inUse(pod: Pod, activity: string): RktError {
  return new RktError('busy', `pod "${pod.uuid}" is currently being ${activity}`)
}
