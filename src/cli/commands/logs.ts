import { watch } from 'node:fs'
import { quote, RktError, writeWhole, isErrno } from '../../base/index.ts'
import { openPods, readStatus, waitForExit, type Pod } from '../../pod/index.ts'
import { takeOne, uuidFromFile } from '../arguments.ts'
import type { Context } from '../context.ts'
import { parseDuration } from '../duration.ts'
import { findPod } from '../find-pod.ts'
import { compareTimes, LogFile, type LogLine } from '../log-lines.ts'
import type { Invocation } from '../parse/invocation.ts'

interface AppLog {
  /** Before each line, when several apps are shown. */
  readonly prefix: string
  readonly file: LogFile
}

/** Prints what apps wrote: their standard output to ours, their standard error to ours. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const sinceMs = parseSince(flags.text('since'), context.now())
  using pod = findPod(openPods(context.dataDir), uuidFromFile(context, invocation) ?? takeOne(invocation, 'pod UUID'))
  using logs = openLogs(pod, flags.text('app'))
  const show = (line: LogLine, prefix: string): void => {
    if (sinceMs === undefined || Date.parse(line.time) >= sinceMs) printLine(line, flags.bool('timestamps') ? `${prefix}${line.time} ` : prefix)
  }
  for (const { line, prefix } of merged(logs.apps)) show(line, prefix)
  if (flags.bool('follow') && pod.state === 'running') {
    await follow(context, pod, () => {
      for (const { file, prefix } of logs.apps) for (const line of file.lines()) show(line, prefix)
    })
  }
  return 0
}

function openLogs(pod: Pod, wanted: string | undefined): Disposable & { readonly apps: readonly AppLog[] } {
  const names = readStatus(pod).apps.map(({ name }) => name)
  const chosen = wanted === undefined ? names : names.filter((name) => name === wanted)
  if (wanted !== undefined && chosen.length === 0) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(wanted)}`)
  const apps = chosen.map((name) => ({ prefix: chosen.length > 1 ? `${name}: ` : '', file: new LogFile(pod.inside(`logs/${name}`)) }))
  return { apps, [Symbol.dispose]: () => apps.forEach(({ file }) => file[Symbol.dispose]()) }
}

/** One log while several are merged, and its next line. */
interface Head {
  readonly prefix: string
  readonly lines: Generator<LogLine>
  line: LogLine | undefined
}

/** The lines that are there, of all apps in the order of their times. */
function* merged(apps: readonly AppLog[]): Generator<{ readonly line: LogLine; readonly prefix: string }> {
  const heads = apps.map(({ file, prefix }): Head => ({ prefix, lines: file.lines(), line: undefined }))
  heads.forEach(advance)
  for (;;) {
    let first: Head | undefined
    for (const head of heads) {
      if (head.line !== undefined && (first?.line === undefined || compareTimes(head.line.time, first.line.time) < 0)) first = head
    }
    if (first?.line === undefined) return
    yield { line: first.line, prefix: first.prefix }
    advance(first)
  }
}

function advance(head: Head): void {
  const next = head.lines.next()
  head.line = next.done === true ? undefined : next.value
}

/** Drains the logs at every change, until the pod has ended. */
async function follow(context: Context, pod: Pod, drain: () => void): Promise<void> {
  const watcher = watch(pod.inside('logs'), drain)
  try {
    drain()
    await waitForExit(pod, { signal: context.signal })
    drain()
  } finally {
    watcher.close()
  }
}

function printLine({ stream, partial, text }: LogLine, prefix: string): void {
  const bytes = Buffer.concat([Buffer.from(prefix), text, Buffer.from(partial ? '' : '\n')])
  try {
    writeWhole(stream === 'stdout' ? 1 : 2, bytes)
  } catch (error) {
    if (!isErrno(error, 'EPIPE')) throw error
    throw new RktError('cancelled', 'nobody reads the output any more', { exitStatus: 0 })
  }
}

function parseSince(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{4}-\d{2}-\d{2}T/.test(text)) {
    const timeMs = Date.parse(text)
    if (!Number.isNaN(timeMs)) return timeMs
  } else {
    return nowMs - parseDuration(text)
  }
  throw new RktError('usage', `invalid argument ${quote(text)} for --since: expected a time such as 2026-01-31T12:00:00Z, or a duration before now`)
}
