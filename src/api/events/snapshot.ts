import type { PodUUID } from '../../base/index.ts'
import type { PodState } from '../../pod/index.ts'

/** What is known of one app at one moment. */
export interface AppSight {
  /** Milliseconds since 1970; undefined while it has not been started. */
  readonly startedAtMs: number | undefined
  readonly finished: { readonly atMs: number | undefined; readonly exitCode: number | undefined } | undefined
}

/** What is known of one pod at one moment. */
export interface PodSight {
  readonly state: PodState
  /** When its first process was started. */
  readonly startedAtMs: number | undefined
  readonly apps: ReadonlyMap<string, AppSight>
}

/** A moment: every pod and image there was. */
export interface Snapshot {
  readonly pods: ReadonlyMap<PodUUID, PodSight>
  /** Names by ID. */
  readonly images: ReadonlyMap<string, string>
}

export const nothing: Snapshot = { pods: new Map(), images: new Map() }
