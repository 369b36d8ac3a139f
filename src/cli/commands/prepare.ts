import type { Context } from '../context.ts'
import { gatherPod } from '../gather-pod.ts'
import { openImages } from '../images.ts'
import { createPod, fillPod, readPrepareFlags } from '../new-pod.ts'
import type { Invocation } from '../parse/invocation.ts'
import { progressBar } from '../progress.ts'
import { readPullPolicy } from '../pull-policy.ts'

/**
 * Makes a pod that `run-prepared` starts later, and prints its UUID. One whose preparation fails stays behind as an aborted prepare,
 * as in the original, until it is collected.
 */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const pullPolicy = readPullPolicy(invocation.flags)
  const prepare = await readPrepareFlags(invocation.flags, context)
  using bar = progressBar({ columns: context.env['COLUMNS'], now: context.now })
  const place = openImages(context, { pullPolicy, onProgress: bar.onProgress })
  const { images, manifest } = await gatherPod(context, invocation, place)
  using pod = createPod(context)
  await fillPod(context, pod, { manifest: manifest(), images, place, ...prepare })
  pod.toPrepared()
  bar[Symbol.dispose]()
  context.out(pod.uuid)
  return 0
}
