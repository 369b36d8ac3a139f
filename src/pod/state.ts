import { unreachable } from '../base/index.ts'
import type { Stage } from './layout.ts'

/** What a pod is doing, told by its directory and by whether anybody holds its lock. */
export type PodState =
  | 'embryo'
  | 'preparing'
  | 'aborted prepare'
  | 'prepared'
  | 'running'
  | 'deleting'
  | 'exited deleting'
  | 'exited'
  | 'exited garbage'
  | 'garbage'

/** The state that (directory, lock) stands for; the lock of an embryo or a prepared pod says nothing. */
export function stateOf(stage: Stage, locked: boolean): PodState {
  switch (stage) {
    case 'embryo':
      return 'embryo'
    case 'prepare':
      return locked ? 'preparing' : 'aborted prepare'
    case 'prepared':
      return 'prepared'
    case 'run':
      return locked ? 'running' : 'exited'
    case 'exited-garbage':
      return locked ? 'exited deleting' : 'exited garbage'
    case 'garbage':
      return locked ? 'deleting' : 'garbage'
    default:
      return unreachable(stage)
  }
}

/** Whether the pod has run and everything of it has ended. */
export function hasRun(state: PodState): boolean {
  return state === 'exited' || state === 'exited garbage' || state === 'exited deleting' || state === 'deleting'
}
