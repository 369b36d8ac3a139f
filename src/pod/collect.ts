import { errorText, isRktError, type Log } from '../base/index.ts'
import { destroyPod, type Teardown } from './destroy.ts'
import { formatDuration } from './duration.ts'
import type { Stage } from './layout.ts'
import type { Pod } from './pod.ts'
import type { Pods } from './pods.ts'

export interface CollectOptions {
  /** How long an exited pod is kept after it was marked. */
  readonly graceMs: number
  /** How long a prepared pod may wait to be run. */
  readonly expirePreparedMs: number
  /** Only mark what has ended; remove nothing. */
  readonly markOnly: boolean
  /** The present time in milliseconds; asked again and again, as marking a pod is what its time of grace begins with. */
  readonly now: () => number
  readonly teardown: Teardown
  readonly log: Log
  /** Takes one line for standard output, without its end. */
  readonly out: (line: string) => void
}

/** A pod directory that nobody has locked for so long was left by a process that died between two system calls. */
const embryoMs = 60_000

/**
 * Collects pods: marks those that have exited, moves what failed or expired to the garbage, deletes what is due. A pod that fails
 * is reported and left for the next time; it never keeps the others.
 */
export async function collectPods(pods: Pods, options: CollectOptions): Promise<void> {
  await each(pods, options, 'run', (pod) => {
    if (pod.state !== 'exited') return
    options.log.info(`moving pod "${pod.uuid}" to garbage`)
    pod.moveTo('exited-garbage')
  })
  await each(pods, options, 'prepare', (pod) => {
    if (pod.state !== 'aborted prepare') return
    options.log.info(`moving failed prepare "${pod.uuid}" to garbage`)
    pod.moveTo('garbage')
  })
  if (options.markOnly) return

  await each(pods, options, 'embryo', (pod) => {
    if (ageMs(pod, options) > embryoMs && pod.lock()) pod.moveTo('garbage')
  })
  await each(pods, options, 'prepared', (pod) => {
    if (ageMs(pod, options) < options.expirePreparedMs) return
    options.log.info(`moving expired prepared pod "${pod.uuid}" to garbage`)
    pod.moveTo('garbage')
  })
  await each(pods, options, 'exited-garbage', async (pod) => {
    if (pod.state === 'exited deleting') return
    if (ageMs(pod, options) < options.graceMs) {
      options.log.info(`pod "${pod.uuid}" not removed: still within grace period (${formatDuration(options.graceMs)})`)
      return
    }
    if (!pod.lock()) return
    options.out(`Garbage collecting pod "${pod.uuid}"`)
    await destroyPod(pod, options.teardown)
  })
  await each(pods, options, 'garbage', async (pod) => {
    if (pod.state !== 'deleting') await destroyPod(pod, options.teardown)
  })
}

/** Time since the pod came to its stage; the clock counts whole milliseconds, the file system finer ones, which may lie ahead. */
function ageMs(pod: Pod, { now }: CollectOptions): number {
  return Math.max(0, now() - pod.movedAtMs)
}

async function each(pods: Pods, options: CollectOptions, stage: Stage, action: (pod: Pod) => Promise<void> | void): Promise<void> {
  for (const uuid of pods.uuidsIn(stage)) {
    try {
      using pod = pods.openIn(stage, uuid)
      if (pod !== undefined) await action(pod)
    } catch (error) {
      // Another collection, or a runner, was faster.
      if (isRktError(error, 'not-found')) continue
      options.log.warn(`cannot collect pod "${uuid}": ${errorText(error)}`)
    }
  }
}
