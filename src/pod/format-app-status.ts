import { escapeText } from '../base/index.ts'
import type { AppStatus } from './app-status.ts'

export interface FormatAppStatusOptions {
  /** Writes a time in the long layout. */
  readonly time: (timeMs: number) => string
}

/** The lines of `rkt app status`, those that are known. */
export function formatAppStatus(app: AppStatus, { time }: FormatAppStatusOptions): string[] {
  const moment = (name: string, timeMs: number | undefined): string[] => (timeMs === undefined ? [] : [`${name}=${time(timeMs)}`])
  return [
    `name=${app.name}`,
    `state=${app.state}`,
    `image_id=${app.imageID}`,
    ...moment('created_at', app.createdAtMs),
    ...moment('started_at', app.startedAtMs),
    ...moment('finished_at', app.finishedAtMs),
    ...(app.exitCode === undefined ? [] : [`exit_code=${app.exitCode}`]),
    ...(app.reason === undefined ? [] : [`reason=${app.reason}`]),
    ...list('mounts', app.mounts.map(({ hostPath, containerPath, readOnly }) => `${hostPath}:${containerPath}:(read_only:${readOnly})`)),
    ...list('user_annotations', pairs(app.userAnnotations)),
    ...list('user_labels', pairs(app.userLabels)),
  ]
}

function list(name: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${name}=${escapeText(items.join(','))}`]
}

function pairs(map: Readonly<Record<string, string>>): string[] {
  return Object.entries(map).map(([name, value]) => `${name}:${value}`)
}
