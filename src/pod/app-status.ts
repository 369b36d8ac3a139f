import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, type ImageID, parseStrictJson } from '../base/index.ts'
import { type ACName, type RuntimeApp, valueOf, type Volume } from '../spec/index.ts'
import { parseVerdict, type Verdict } from '../trust/index.ts'
import { appInfo, podFile } from './layout.ts'
import { type MountingApp, resolveMounts } from './mounts.ts'
import type { Pod } from './pod.ts'
import { readAppImage } from './prepared-pod.ts'
import { hasRun, type PodState } from './state.ts'

export type AppState = 'unknown' | 'created' | 'running' | 'exited'

/** What can be told of one app of a pod. Times are milliseconds since 1970, with fractions. */
export interface AppStatus {
  readonly name: ACName
  readonly state: AppState
  readonly createdAtMs: number | undefined
  readonly startedAtMs: number | undefined
  /** Whether the pod's init has noted that this app was started. */
  readonly startMarked: boolean
  readonly finishedAtMs: number | undefined
  /** The status with which the app has exited; undefined while it runs, or when nobody was left to write it. */
  readonly exitCode: number | undefined
  /** Why it has ended, where the launcher knows more than the status: `OOMKilled`. */
  readonly reason: string | undefined
  readonly imageID: ImageID
  /** Undefined when the image manifest cannot be read. */
  readonly imageName: string | undefined
  readonly imageVersion: string | undefined
  readonly mounts: readonly AppMount[]
  readonly userAnnotations: Readonly<Record<string, string>>
  readonly userLabels: Readonly<Record<string, string>>
  /** Who vouched for the image when the pod was prepared. */
  readonly signature: Verdict | undefined
}

export interface AppMount {
  readonly name: ACName
  readonly containerPath: string
  readonly hostPath: string
  readonly readOnly: boolean
}

export interface AppStatusInputs {
  readonly app: RuntimeApp
  readonly volumes: readonly Volume[]
  /** Whether apps of the pod come and go. */
  readonly mutable: boolean
  /** Runs a read; a missing file is undefined, any other fault is noted and undefined. */
  readonly attempt: <T>(what: string, read: () => T) => T | undefined
}

/** Reads what the pod directory tells of one app. */
export function readAppStatus(pod: Pod, { app, volumes, mutable, attempt }: AppStatusInputs): AppStatus {
  const image = attempt(`image manifest of app ${app.name}`, () => readAppImage(pod, app.name))
  const section = app.app ?? image?.app
  const mtimeMs = (path: string): number | undefined => attempt(`times of app ${app.name}`, () => statSync(pod.inside(path)).mtimeMs)
  const marker = (suffix: string): number | undefined => mtimeMs(join(podFile.status, `${app.name}${suffix}`))
  const exitCode = attempt(`exit code of app ${app.name}`, () => readExitCode(pod.inside(join(podFile.status, app.name))))
  const started = marker('-started')
  return {
    name: app.name,
    state: stateOfApp(pod.state, { ended: exitCode !== undefined, started: started !== undefined, mutable }),
    createdAtMs: marker('-created') ?? mtimeMs(podFile.created),
    startMarked: started !== undefined,
    startedAtMs: started ?? (mutable ? undefined : mtimeMs(podFile.pid)),
    // Nobody wrote the end of an app that was killed together with the pod; the pod's mark is the latest time it can have been.
    finishedAtMs: marker('') ?? (pod.stage === 'exited-garbage' ? pod.movedAtMs : undefined),
    exitCode,
    reason: attempt(`reason of app ${app.name}`, () => readReason(pod.inside(join(podFile.status, `${app.name}-reason`)))),
    imageID: app.image.id,
    imageName: image?.name,
    imageVersion: image === undefined ? undefined : valueOf(image.labels, 'version'),
    mounts: section === undefined ? [] : (attempt(`mounts of app ${app.name}`, () => mountsOf(pod, { name: app.name, runtime: app, app: section }, volumes)) ?? []),
    userAnnotations: section?.userAnnotations ?? {},
    userLabels: section?.userLabels ?? {},
    signature: attempt(`verdict on the image of app ${app.name}`, () => readVerdict(pod.inside(appInfo(app.name, 'verdict')))),
  }
}

function mountsOf(pod: Pod, app: MountingApp, volumes: readonly Volume[]): AppMount[] {
  return resolveMounts(app, volumes).mounts.map(({ volume, target, source, readOnly }) => ({
    name: volume,
    containerPath: target,
    hostPath: source.kind === 'host' ? source.path : join(pod.dir, source.path),
    readOnly,
  }))
}

function readReason(path: string): string {
  const text = readFileSync(path, 'latin1').trim()
  return /^[A-Za-z]{1,32}$/.test(text) ? text : 'unknown'
}

function readVerdict(path: string): Verdict {
  return parseVerdict(parseStrictJson(readFileSync(path), { what: 'verdict' }))
}

/** In a pod whose apps come and go an app runs once it was started; in others they start together. */
function stateOfApp(pod: PodState, { ended, started, mutable }: { readonly ended: boolean; readonly started: boolean; readonly mutable: boolean }): AppState {
  if (ended || hasRun(pod)) return 'exited'
  if (mutable && pod === 'running') return started ? 'running' : 'created'
  if (pod === 'running') return 'running'
  return pod === 'prepared' ? 'created' : 'unknown'
}

/** A code that cannot be read is 1, as in the original: the app has ended, and not well. */
function readExitCode(path: string): number | undefined {
  let text: string
  try {
    text = readFileSync(path, 'latin1').trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
  return /^\d{1,3}$/.test(text) ? Number(text) : 1
}
