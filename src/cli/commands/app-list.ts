import { openPods, readStatus } from '../../pod/index.ts'
import { failingWithOne, podText } from '../changing-pod.ts'
import type { Context } from '../context.ts'
import { findPod } from '../find-pod.ts'
import type { Invocation } from '../parse/invocation.ts'
import { tabulate } from '../tabulate.ts'

/** Lists the apps of a pod with their states. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  return await failingWithOne(async () => {
    using pod = findPod(openPods(context.dataDir), podText(context, invocation))
    const rows = readStatus(pod).apps.map(({ name, state }) => [name, state])
    context.out(tabulate(invocation.flags.bool('no-legend') ? rows : [['NAME', 'STATE'], ...rows]))
    return 0
  })
}
