import { isErrno, quote, RktError, writeWhole } from '../../base/index.ts'
import { type AppLogLine, openPods, readLogs, readManifest } from '../../pod/index.ts'
import { takeOne, uuidFromFile } from '../arguments.ts'
import type { Context } from '../context.ts'
import { parseDuration } from '../duration.ts'
import { findPod } from '../find-pod.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Prints what apps wrote: their standard output to ours, their standard error to ours. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const [app, lines] = [flags.text('app'), flags.int('lines')]
  const sinceMs = parseTime('since', flags.text('since'), context.now())
  const untilMs = parseTime('until', flags.text('until'), context.now())
  if (lines !== undefined && lines < 0) throw new RktError('usage', `cannot use --lines=${lines}: expected a number of lines`)
  using pod = findPod(openPods(context.dataDir), uuidFromFile(context, invocation) ?? takeOne(invocation, 'pod UUID'))
  const several = app === undefined && readManifest(pod).apps.length > 1
  const found = readLogs(pod, {
    follow: flags.bool('follow'),
    signal: context.signal,
    ...(app === undefined ? {} : { app }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(lines === undefined ? {} : { lines }),
  })
  const begun = new Set<string>()
  for await (const line of found) printLine(line, { name: several, time: flags.bool('timestamps'), begun })
  return 0
}

interface Show {
  readonly name: boolean
  readonly time: boolean
  /** Streams whose last line has not ended yet. */
  readonly begun: Set<string>
}

function printLine({ app, line }: AppLogLine, { name, time, begun }: Show): void {
  const stream = `${app}/${line.stream}`
  const prefix = begun.has(stream) ? '' : `${name ? `${app}: ` : ''}${time ? `${line.time} ` : ''}`
  if (line.partial) begun.add(stream)
  else begun.delete(stream)
  const bytes = Buffer.concat([Buffer.from(prefix), line.text, Buffer.from(line.partial ? '' : '\n')])
  try {
    writeWhole(line.stream === 'stdout' ? 1 : 2, bytes)
  } catch (error) {
    if (!isErrno(error, 'EPIPE')) throw error
    throw new RktError('cancelled', 'nobody reads the output any more', { exitStatus: 0 })
  }
}

function parseTime(flag: 'since' | 'until', text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{4}-\d{2}-\d{2}T/.test(text)) {
    const timeMs = Date.parse(text)
    if (!Number.isNaN(timeMs)) return timeMs
  } else {
    return nowMs - parseDuration(text)
  }
  throw new RktError('usage', `invalid argument ${quote(text)} for --${flag}: expected a time such as 2026-01-31T12:00:00Z, or a duration before now`)
}
