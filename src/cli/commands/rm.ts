import { RktError } from '../../base/index.ts'
import { removePod } from '../../pod/index.ts'
import { teardownPod } from '../../stage1/index.ts'
import type { Context } from '../context.ts'
import { eachPod, quotedUUID } from '../each-pod.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Removes pods that are not in use. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const failed = await eachPod(context, invocation, {
    unreadableFileStatus: 254,
    act: async (pod) => {
      await removePod(pod, { log: context.log, teardown: (podDir) => teardownPod(podDir) })
      context.out(quotedUUID(pod))
    },
  })
  if (failed > 0) throw new RktError('busy', 'failed to remove one or more pods')
  return 0
}
