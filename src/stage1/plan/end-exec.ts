import type { EndExec } from '../../network/index.ts'
import type { Operation } from './operations.ts'

/** A program that the end of a pod runs, as an operation of the plan. */
export function endExec({ argv, env, stdin }: EndExec): Operation {
  return { op: 'end-exec', argv, environment: Object.entries(env).map(([name, value]) => `${name}=${value}`), stdin }
}
