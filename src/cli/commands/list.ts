import { errorText } from '../../base/index.ts'
import { formatListFaults, formatPodList, openPods, podListToJson, readStatus } from '../../pod/index.ts'
import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import { formatJson, parseFormat } from '../format.ts'
import type { Invocation } from '../parse/invocation.ts'
import { tabulate } from '../tabulate.ts'
import { longTime, relativeTime } from '../times.ts'

/** Lists the pods that users can see; what cannot be read of one does not hide the others. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  takeNone(invocation)
  const format = parseFormat(flags.text('format'))
  const unopened: string[] = []
  const pods = openPods(context.dataDir)
    .list((_uuid, error) => unopened.push(errorText(error)))
    .map((pod) => {
      using open = pod
      return readStatus(open)
    })
  if (format === 'table') {
    const full = flags.bool('full')
    const nowMs = context.now()
    const write = (timeMs: number): string => (full ? longTime(timeMs) : relativeTime(timeMs, nowMs))
    const time = (timeMs: number | undefined): string => (timeMs === undefined ? '' : write(timeMs))
    context.out(tabulate(formatPodList(pods, { full, legend: !flags.bool('no-legend'), time })))
  } else {
    context.out(formatJson(podListToJson(pods), { pretty: format === 'json-pretty' }))
  }
  const faults = formatListFaults([...unopened, ...pods.flatMap((pod) => pod.faults)])
  if (faults.length > 0) context.log.info(faults.join('\n'))
  return 0
}
