import { networksColumn } from '../network/index.ts'
import { appcVersion } from '../spec/index.ts'
import type { AppStatus } from './app-status.ts'
import type { PodStatus } from './status.ts'

export interface FormatListOptions {
  /** Whole UUIDs and times, and a column of image IDs. */
  readonly full: boolean
  /** Whether the first row names the columns. */
  readonly legend: boolean
  /** Writes a time; pods that are not prepared yet have none. */
  readonly time: (timeMs: number | undefined) => string
}

/** The cells of `rkt list`, row by row: one row for each app, those after the first without the cells of the pod. */
export function formatPodList(pods: readonly PodStatus[], options: FormatListOptions): string[][] {
  const { full } = options
  const heading = ['UUID', 'APP', 'IMAGE NAME', ...(full ? ['IMAGE ID'] : []), 'STATE', 'CREATED', 'STARTED', 'NETWORKS']
  const rows = pods.flatMap((pod) => rowsOf(pod, options))
  return options.legend ? [heading, ...rows] : rows
}

/** What `rkt list` writes to standard error about pods that it could not read whole; nothing when it could. */
export function formatListFaults(faults: readonly string[]): string[] {
  if (faults.length === 0) return []
  const line = '-'.repeat(40)
  return [
    `${faults.length} error(s) encountered when listing pods:`,
    line,
    ...faults.flatMap((fault) => [fault, line]),
    'misc:',
    `  rkt's appc version: ${appcVersion}`,
    line,
    '',
  ]
}

function rowsOf(pod: PodStatus, { full, time }: FormatListOptions): string[][] {
  const uuid = full ? pod.uuid : pod.uuid.slice(0, 8)
  const tail = [pod.state, time(pod.createdAtMs), time(pod.startedAtMs), networksColumn(pod.networks)]
  const [first, ...others] = pod.apps
  if (first === undefined) return [[uuid, '-', '-', ...(full ? ['-'] : []), ...tail]]
  return [[uuid, ...appCells(first, full), ...tail], ...others.map((app) => ['', ...appCells(app, full), '', '', '', ''])]
}

function appCells(app: AppStatus, full: boolean): string[] {
  const name = app.imageName === undefined ? '--' : app.imageVersion === undefined ? app.imageName : `${app.imageName}:${app.imageVersion}`
  return [app.name, name, ...(full ? [shortImageID(app.imageID)] : [])]
}

/** `sha512-` and twelve digits. */
function shortImageID(id: string): string {
  return id.slice(0, 19)
}
