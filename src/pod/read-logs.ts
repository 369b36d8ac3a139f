import { watch } from 'node:fs'
import { quote, RktError } from '../base/index.ts'
import { podFile } from './layout.ts'
import { LogFile } from './log-file.ts'
import { compareTimes, type LogLine } from './log-line.ts'
import type { Pod } from './pod.ts'
import { readStatus } from './status.ts'
import { waitForExit } from './wait.ts'

export interface ReadLogsOptions {
  /** Only this app. */
  readonly app?: string
  /** Only lines from this time on, and before that one; milliseconds since 1970. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Of the lines that are there, only so many: the last ones. */
  readonly lines?: number
  /** Goes on until the pod has ended. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** A line, and the app that wrote it. */
export interface AppLogLine {
  readonly app: string
  readonly line: LogLine
}

/**
 * What the apps of a pod wrote, running or not, in the order of its time; what comes while we follow, in the order in which it is seen.
 *
 * @throws RktError `not-found` for an app that the pod does not have; the signal's reason.
 */
export async function* readLogs(pod: Pod, options: ReadLogsOptions): AsyncGenerator<AppLogLine> {
  using logs = openLogs(pod, options.app)
  const sinceMs = options.sinceMs ?? 0
  const wanted = timeFilter(sinceMs, options.untilMs ?? Number.POSITIVE_INFINITY)
  if (options.lines === undefined) {
    for (const line of merged(logs.apps, sinceMs)) if (wanted(line)) yield line
  } else {
    yield* last(options.lines, merged(logs.apps, sinceMs), wanted)
  }
  if (!options.follow || pod.state !== 'running') return
  for await (const _change of changes(pod, logs, options.signal)) {
    for (const { app, file } of logs.apps) for (const line of file.lines()) if (wanted({ app, line })) yield { app, line }
  }
}

/** A line that came in parts is taken or left whole, by the time of its first part. */
function timeFilter(sinceMs: number, untilMs: number): (line: AppLogLine) => boolean {
  const begun = new Map<string, boolean>()
  return ({ app, line: { time, stream, partial } }) => {
    const key = `${app}/${stream}`
    const timeMs = Date.parse(time)
    const taken = begun.get(key) ?? (timeMs >= sinceMs && timeMs < untilMs)
    if (partial) begun.set(key, taken)
    else begun.delete(key)
    return taken
  }
}

interface OpenLogs extends Disposable {
  readonly apps: readonly { readonly app: string; readonly file: LogFile }[]
}

function openLogs(pod: Pod, wanted: string | undefined): OpenLogs {
  const names = readStatus(pod).apps.map(({ name }) => name)
  const chosen = wanted === undefined ? names : names.filter((name) => name === wanted)
  if (wanted !== undefined && chosen.length === 0) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(wanted)}`)
  const apps = chosen.map((app) => ({ app, file: new LogFile(pod.inside(`${podFile.logs}/${app}`)) }))
  return { apps, [Symbol.dispose]: () => apps.forEach(({ file }) => file[Symbol.dispose]()) }
}

/** One log while several are merged, and its next line. */
interface Head {
  readonly app: string
  readonly lines: Generator<LogLine>
  line: LogLine | undefined
}

/** The lines that are there, of all apps in the order of their times. */
function* merged(apps: OpenLogs['apps'], sinceMs: number): Generator<AppLogLine> {
  const heads = apps.map(({ app, file }): Head => ({ app, lines: file.lines(sinceMs), line: undefined }))
  heads.forEach(advance)
  for (;;) {
    let first: Head | undefined
    for (const head of heads) {
      if (head.line !== undefined && (first?.line === undefined || compareTimes(head.line.time, first.line.time) < 0)) first = head
    }
    if (first?.line === undefined) return
    yield { app: first.app, line: first.line }
    advance(first)
  }
}

function advance(head: Head): void {
  const next = head.lines.next()
  head.line = next.done === true ? undefined : next.value
}

/** Keeps no more than `count` lines; a partial line belongs to the one that ends it. */
function last(count: number, lines: Iterable<AppLogLine>, wanted: (line: AppLogLine) => boolean): readonly AppLogLine[] {
  let kept: AppLogLine[] = []
  let whole = 0
  for (const line of lines) {
    if (!wanted(line)) continue
    kept.push(line)
    whole += line.line.partial ? 0 : 1
    if (whole > 2 * count + 1024) {
      kept = tail(kept, count)
      whole = count
    }
  }
  return tail(kept, count)
}

function tail(lines: readonly AppLogLine[], count: number): AppLogLine[] {
  let whole = 0
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    if (lines[index]?.line.partial === false && ++whole > count) return lines.slice(index + 1)
  }
  return count === 0 ? [] : [...lines]
}

/** Yields whenever a log may have grown, at once and at last when the pod has ended. */
async function* changes(pod: Pod, { apps }: OpenLogs, signal: AbortSignal): AsyncGenerator<void> {
  let wake = (): void => undefined
  let changed = true
  let ended = false
  const note = (): void => {
    changed = true
    wake()
  }
  const watchers = [...new Set(apps.map(({ file }) => file.directory))].map((directory) => watch(directory, note))
  const exit = waitForExit(pod, { signal }).then(
    () => {
      ended = true
      note()
    },
    (error: unknown) => {
      ended = true
      note()
      throw error
    },
  )
  exit.catch(() => undefined)
  try {
    while (!ended) {
      if (!changed) await new Promise<void>((resolve) => (wake = resolve))
      changed = false
      yield
    }
    yield
    await exit
  } finally {
    for (const watcher of watchers) watcher.close()
  }
}
