import { RktError } from '../../base/index.ts'
import { appToJson, formatAppStatus, openPods, readStatus } from '../../pod/index.ts'
import { failingWithOne, namedApp, podText } from '../changing-pod.ts'
import type { Context } from '../context.ts'
import { findPod } from '../find-pod.ts'
import { formatJson, parseFormat } from '../format.ts'
import type { Invocation } from '../parse/invocation.ts'
import { longTime } from '../times.ts'

/** Prints what can be told of one app. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  return await failingWithOne(async () => {
    const format = parseFormat(invocation.flags.text('format'))
    using pod = findPod(openPods(context.dataDir), podText(context, invocation))
    const name = namedApp(pod, invocation)
    const app = readStatus(pod).apps.find((candidate) => candidate.name === name)
    if (app === undefined) throw new RktError('not-found', `pod "${pod.uuid}" has no app "${name}"`)
    context.out(format === 'table' ? formatAppStatus(app, { time: longTime }).join('\n') : formatJson(appToJson(app), { pretty: format === 'json-pretty' }))
    return 0
  })
}
