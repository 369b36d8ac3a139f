import type { PodUUID } from '../../base/index.ts'
import type { PodState } from '../../pod/index.ts'
import type { EventMessage } from '../messages/index.ts'
import type { AppSight, PodSight, Snapshot } from './snapshot.ts'

/** Ranks of a pod's life; a pod that was seen at one of them has been through those before, except that not every pod runs. */
const ranks: Readonly<Record<PodState, number>> = {
  embryo: 0,
  preparing: 0,
  'aborted prepare': 1,
  prepared: 1,
  running: 2,
  exited: 3,
  'exited deleting': 3,
  'exited garbage': 3,
  garbage: 3,
  deleting: 3,
}

/** What happened between two moments, in the order of a pod's life. A pod that came and went between them was never seen. */
export function differences(before: Snapshot, after: Snapshot, nowMs: number): EventMessage[] {
  const events: EventMessage[] = []
  for (const [id, name] of after.images) if (!before.images.has(id)) events.push(event('imageImported', { id, from: name, timeMs: nowMs }))
  for (const [uuid, pod] of after.pods) events.push(...podEvents(uuid, { before: before.pods.get(uuid), after: pod, nowMs }))
  for (const [uuid, pod] of before.pods) if (!after.pods.has(uuid)) events.push(...goneEvents(uuid, pod, nowMs))
  for (const [id, name] of before.images) if (!after.images.has(id)) events.push(event('imageRemoved', { id, from: name, timeMs: nowMs }))
  return events
}

interface Change {
  readonly before: PodSight | undefined
  readonly after: PodSight
  readonly nowMs: number
}

function podEvents(uuid: PodUUID, { before, after, nowMs }: Change): EventMessage[] {
  const from = before === undefined ? 0 : ranks[before.state]
  const to = ranks[after.state]
  const was = before?.state === 'aborted prepare'
  const events: EventMessage[] = []
  const add = (kind: EventMessage['kind'], timeMs: number | undefined): number => events.push(event(kind, { id: uuid, from: uuid, timeMs: timeMs ?? nowMs }))
  // A pod that never came so far lies in garbage without having run.
  const aborted = after.state === 'aborted prepare' || (to === 3 && from === 0 && after.startedAtMs === undefined && after.apps.size === 0)
  if (aborted && !was && from === 0) add('podPrepareAborted', undefined)
  if (!aborted && !was && from < 1 && to >= 1) add('podPrepared', undefined)
  if (after.startedAtMs !== undefined && before?.startedAtMs === undefined && !aborted) add('podStarted', after.startedAtMs)
  for (const [name, app] of after.apps) events.push(...appEvents(uuid, { name, before: before?.apps.get(name), after: app, nowMs }))
  const ran = before?.state === 'running' || after.startedAtMs !== undefined || isExit(after.state)
  if (from < 3 && to === 3 && !aborted && !was && ran && before?.state !== 'prepared') add('podExited', undefined)
  return events
}

function isExit(state: PodState): boolean {
  return state === 'exited' || state === 'exited garbage' || state === 'exited deleting'
}

function appEvents(uuid: PodUUID, { name, before, after, nowMs }: { readonly name: string; readonly before: AppSight | undefined; readonly after: AppSight; readonly nowMs: number }): EventMessage[] {
  const events: EventMessage[] = []
  const again = before?.finished !== undefined && after.startedAtMs !== before.startedAtMs
  if (after.startedAtMs !== undefined && (before?.startedAtMs === undefined || again)) events.push(event('appStarted', { id: uuid, from: name, timeMs: after.startedAtMs }))
  if (after.finished !== undefined && after.startedAtMs !== undefined && (before?.finished === undefined || again)) events.push(exitEvent(uuid, { name, finished: after.finished, nowMs }))
  return events
}

function exitEvent(uuid: PodUUID, { name, finished, nowMs }: { readonly name: string; readonly finished: NonNullable<AppSight['finished']>; readonly nowMs: number }): EventMessage {
  const data = finished.exitCode === undefined ? [] : [{ key: 'exit_code', value: String(finished.exitCode) }]
  return { ...event('appExited', { id: uuid, from: name, timeMs: finished.atMs ?? nowMs }), data }
}

/** A pod that was removed has ended before, whether or not anybody looked in between. Of one that was being prepared nobody knows how far it came. */
function goneEvents(uuid: PodUUID, pod: PodSight, nowMs: number): EventMessage[] {
  const end = event('podGarbageCollected', { id: uuid, from: uuid, timeMs: nowMs })
  if (pod.state !== 'running') return [end]
  const exits = [...pod.apps].filter(([, app]) => app.startedAtMs !== undefined && app.finished === undefined)
  return [
    ...exits.map(([name]) => exitEvent(uuid, { name, finished: { atMs: nowMs, exitCode: undefined }, nowMs })),
    event('podExited', { id: uuid, from: uuid, timeMs: nowMs }),
    end,
  ]
}

function event(kind: EventMessage['kind'], { id, from, timeMs }: { readonly id: string; readonly from: string; readonly timeMs: number }): EventMessage {
  return { kind, id, from, timeMs, data: [] }
}
