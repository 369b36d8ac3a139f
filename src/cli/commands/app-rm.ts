import { quote, RktError } from '../../base/index.ts'
import { readStatus, removeApp } from '../../pod/index.ts'
import { forgetApp } from '../../stage1/index.ts'
import { namedApp, openChangingPod, podText } from '../changing-pod.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Removes an app that does not run from a running pod. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  using pod = openChangingPod(context, podText(context, invocation))
  const app = namedApp(pod, invocation)
  if (readStatus(pod).apps.find(({ name }) => name === app)?.state === 'running') {
    throw new RktError('wrong-state', `cannot remove app ${quote(app)}: it runs`, { hint: `rkt app stop ${pod.uuid} --app=${app}` })
  }
  await forgetApp({ pod, app, signal: context.signal })
  await removeApp(pod, app, { signal: context.signal })
  return 0
}
