import { startApp } from '../../stage1/index.ts'
import { namedApp, openChangingPod, podText } from '../changing-pod.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Starts an app of a running pod. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  using pod = openChangingPod(context, podText(context, invocation))
  await startApp({
    pod,
    app: namedApp(pod, invocation),
    signal: context.signal,
    warn: (line) => context.log.warn(line),
    ...(context.env['TERM'] === undefined ? {} : { term: context.env['TERM'] }),
  })
  return 0
}
