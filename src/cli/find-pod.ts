import { RktError } from '../base/index.ts'
import type { Pod, Pods } from '../pod/index.ts'

/**
 * Opens the pod whose UUID starts with `text`.
 *
 * @throws RktError `not-found`, `ambiguous`, `usage` with the original's texts.
 */
export function findPod(pods: Pods, text: string): Pod {
  const uuid = pods.resolve(text)
  const pod = pods.open(uuid)
  if (pod === undefined) throw new RktError('not-found', `pod "${uuid}" was not present`)
  return pod
}
