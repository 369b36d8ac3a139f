import { quote, RktError } from '../base/index.ts'
import { isMutable, isReady, openPods, type Pod, readManifest } from '../pod/index.ts'
import { takeOne, uuidFromFile } from './arguments.ts'
import type { Context } from './context.ts'
import { findPod } from './find-pod.ts'
import type { Invocation } from './parse/invocation.ts'

/**
 * Opens a running pod whose apps may change.
 *
 * @throws RktError `wrong-state` with the original's texts.
 */
export function openChangingPod(context: Context, text: string): Pod {
  const pod = findPod(openPods(context.dataDir), text)
  try {
    if (pod.state !== 'running') throw new RktError('wrong-state', `pod "${pod.uuid}" isn't currently running`)
    if (!isMutable(readManifest(pod))) throw new RktError('wrong-state', `pod "${pod.uuid}" is immutable`, { hint: 'only pods of "rkt app sandbox" can be changed' })
    if (!isReady(pod)) throw new RktError('wrong-state', `supervisor for pod "${pod.uuid}" is not yet ready`)
    return pod
  } catch (error) {
    pod[Symbol.dispose]()
    throw error
  }
}

/** The UUID of a command line that names one pod. */
export function podText(context: Context, invocation: Invocation): string {
  return uuidFromFile(context, invocation) ?? takeOne(invocation, 'pod UUID')
}

/**
 * The app that `--app` names.
 *
 * @throws RktError `usage`, `not-found`.
 */
export function namedApp(pod: Pod, { flags }: Invocation): string {
  const name = flags.text('app')
  if (name === undefined || name === '') throw new RktError('usage', 'app not specified', { hint: 'give its name with --app=NAME' })
  if (!readManifest(pod).apps.some((app) => app.name === name)) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(name)}`)
  return name
}

/**
 * Runs a verb that fails with status 1, as some of the original's do.
 *
 * @throws RktError what the verb threw, with exit status 1.
 */
export async function failingWithOne(verb: () => Promise<number>): Promise<number> {
  try {
    return await verb()
  } catch (error) {
    if (!(error instanceof RktError)) throw error
    throw new RktError(error.code, error.message, { cause: error.cause, exitStatus: 1, ...(error.hint === undefined ? {} : { hint: error.hint }) })
  }
}
