import { RktError } from '../../base/index.ts'
import type { Pod } from '../../pod/index.ts'
import { stopPod } from '../../stage1/index.ts'
import type { Context } from '../context.ts'
import { eachPod, quotedUUID } from '../each-pod.ts'
import type { FlagValues } from '../parse/flag-values.ts'
import type { Invocation } from '../parse/invocation.ts'

const stopped: readonly string[] = ['exited', 'exited garbage', 'exited deleting', 'garbage', 'deleting']

/** Stops pods; one that has ended already counts as stopped. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const failed = await eachPod(context, invocation, {
    unreadableFileStatus: 1,
    act: async (pod) => {
      if (stopped.includes(pod.state)) return context.out(`pod ${quotedUUID(pod)} is already stopped`)
      if (pod.state !== 'running') throw new RktError('wrong-state', `pod ${quotedUUID(pod)} is not running`)
      if (!(await stop(context, pod, invocation.flags))) {
        throw new RktError('timeout', `pod ${quotedUUID(pod)} is still running`, { hint: `rkt stop --force ${pod.uuid}` })
      }
      context.out(quotedUUID(pod))
    },
  })
  if (failed > 0) throw new RktError('wrong-state', `failed to stop ${failed} pod(s)`)
  return 0
}

/** Asks, and kills where `--timeout` sets an end to patience; without it the pod's own init decides when its apps had time enough. */
async function stop(context: Context, pod: Pod, flags: FlagValues): Promise<boolean> {
  const { signal } = context
  const force = flags.bool('force')
  const timeoutMs = flags.duration('timeout') ?? 0
  if (await stopPod({ pod, force, timeoutMs, signal })) return true
  return !force && timeoutMs > 0 ? await stopPod({ pod, force: true, timeoutMs: 0, signal }) : false
}
