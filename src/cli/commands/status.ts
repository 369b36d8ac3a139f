import { isRktError, RktError } from '../../base/index.ts'
import { formatPodStatus, openPods, podToJson, readStatus, waitForExit, waitForReady, type Pod, type Pods } from '../../pod/index.ts'
import { takeOne, uuidFromFile } from '../arguments.ts'
import type { Context } from '../context.ts'
import { parseBool, parseDuration } from '../duration.ts'
import { findPod } from '../find-pod.ts'
import { formatJson, parseFormat } from '../format.ts'
import type { Invocation } from '../parse/invocation.ts'
import { longTime } from '../times.ts'

/** Prints the state of one pod, after waiting for it where that is asked for. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const format = parseFormat(flags.text('format'))
  const waitExit = parseWait(flags.text('wait'), 'wait')
  const waitReady = parseWait(flags.text('wait-ready'), 'wait-ready')
  const text = uuidFromFile(context, invocation, { exitStatus: 1 }) ?? takeOne(invocation, 'pod UUID')
  const pods = openPods(context.dataDir)
  using pod = retrieve(pods, text)
  if (waitReady !== undefined) await waitForReady(pod, { ...waitReady, signal: context.signal })
  if (waitExit !== undefined) await waitForExit(pod, { ...waitExit, signal: context.signal })
  // The directory may have been moved meanwhile: what is told is the state after the wait.
  using now = retrieve(pods, pod.uuid)
  const status = readStatus(now)
  for (const fault of status.faults) context.log.warn(fault)
  context.out(format === 'table' ? formatPodStatus(status, { time: longTime }).join('\n') : formatJson(podToJson(status), { pretty: format === 'json-pretty' }))
  return 0
}

function retrieve(pods: Pods, text: string): Pod {
  try {
    return findPod(pods, text)
  } catch (cause) {
    if (!isRktError(cause)) throw cause
    throw new RktError(cause.code, `problem retrieving pod: ${cause.message}`, { cause })
  }
}

interface Wait {
  readonly timeoutMs?: number
}

/** Undefined: do not wait. No time: wait for ever. */
function parseWait(text: string | undefined, flag: string): Wait | undefined {
  const asBool = parseBool(text ?? 'false')
  if (text === '' || asBool === true) return {}
  if (asBool === false) return undefined
  try {
    const timeoutMs = parseDuration(text ?? '0')
    return timeoutMs === 0 ? undefined : { timeoutMs }
  } catch (cause) {
    throw new RktError('usage', `invalid argument ${JSON.stringify(text)} for --${flag}=${text ?? ''}: expected a boolean or a duration`, { cause })
  }
}
