import { stopApp } from '../../stage1/index.ts'
import { namedApp, openChangingPod, podText } from '../changing-pod.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Stops an app of a running pod, and returns when it has ended. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  using pod = openChangingPod(context, podText(context, invocation))
  await stopApp({ pod, app: namedApp(pod, invocation), force: invocation.flags.bool('force'), signal: context.signal })
  return 0
}
