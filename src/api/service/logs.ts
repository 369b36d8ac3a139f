import { setImmediate as breathe } from 'node:timers/promises'
import { RktError } from '../../base/index.ts'
import { readLogs, readStatus, type AppLogLine, type ReadLogsOptions } from '../../pod/index.ts'
import { type LogsRequest, writeLines } from '../messages/index.ts'
import { openPod } from './pods.ts'

/** One message holds no more than about so much; a line without end is cut there. */
const batchBytes = 65_536
const lineBytes = 65_536
const maxLines = 100_000

/**
 * What the apps of a pod wrote, and with `follow` what they go on to write until the pod ends. With several apps, each line begins with
 * the name of its own.
 *
 * @throws RktError `usage`, `not-found`, `limit-exceeded`.
 */
export async function* getLogs(dataDir: string, request: LogsRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const until = endOf(request)
  const options = optionsOf(request, until === undefined ? signal : AbortSignal.any([signal, until]))
  using pod = openPod(dataDir, request.podID)
  const several = request.appName === '' && readStatus(pod).apps.length > 1
  yield new Uint8Array()
  const open = new Map<string, string>()
  let batch: string[] = []
  let bytes = 0
  let lastMs = performance.now()
  for await (const found of endedBy(until, readLogs(pod, options))) {
    const line = complete(open, found)
    if (performance.now() - lastMs > 5) {
      await breathe()
      lastMs = performance.now()
      signal.throwIfAborted()
    }
    if (line === undefined) continue
    batch.push(several ? `${found.app}: ${line}` : line)
    bytes += line.length
    if (bytes < batchBytes && !request.follow) continue
    yield writeLines(batch)
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield writeLines(batch)
}

/** Lines that come later than that are not wanted, so nobody waits for them. */
function endOf({ follow, untilTime }: LogsRequest): AbortSignal | undefined {
  return follow && untilTime > 0 ? AbortSignal.timeout(Math.min(Math.max(untilTime * 1000 - Date.now(), 0), 0x7fff_ffff)) : undefined
}

async function* endedBy<T>(end: AbortSignal | undefined, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items
  } catch (error) {
    if (end?.aborted !== true) throw error
  }
}

function optionsOf({ appName, lines, follow, sinceTime, untilTime }: LogsRequest, signal: AbortSignal): ReadLogsOptions {
  if (lines < 0 || sinceTime < 0 || untilTime < 0) throw new RktError('usage', 'cannot read logs: lines and times are negative; expected none')
  if (lines > maxLines) throw new RktError('limit-exceeded', `cannot read logs: lines is more than ${maxLines}`)
  return {
    follow,
    signal,
    ...(appName === '' ? {} : { app: appName }),
    ...(lines === 0 ? {} : { lines }),
    ...(sinceTime === 0 ? {} : { sinceMs: sinceTime * 1000 }),
    ...(untilTime === 0 ? {} : { untilMs: untilTime * 1000 }),
  }
}

/** Puts the parts of a line together. */
function complete(open: Map<string, string>, { app, line: { stream, partial, text } }: AppLogLine): string | undefined {
  const key = `${app}/${stream}`
  const whole = (open.get(key) ?? '') + Buffer.from(text).toString('utf8')
  if (partial && whole.length < lineBytes) {
    open.set(key, whole)
    return undefined
  }
  open.delete(key)
  return whole
}
