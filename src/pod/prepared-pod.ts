import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, type ImageID, isErrno, type PodUUID, quote, RktError } from '../base/index.ts'
import { type ACIdentifier, type ACName, type App, asIsolation, type ImageManifest, type Isolation, type PodManifest, readImageManifest, readPodManifest, type RuntimeApp } from '../spec/index.ts'
import { isTreeID } from '../store/index.ts'
import { effectiveApp } from './effective-app.ts'
import { type IdRange, readIdRange } from './id-range.ts'
import { appInfo, dataPaths, podFile } from './layout.ts'
import type { Pod } from './pod.ts'
import { copiedRootfs, overlayPaths } from './prepare.ts'

/** A pod as it was prepared: all that a planner of stage1 needs to know of its directory. */
export interface PreparedPod {
  readonly uuid: PodUUID
  /** Absolute path of the pod directory. */
  readonly dir: string
  readonly manifest: PodManifest
  readonly overlay: boolean
  /** Left out: the pod shares the host's user ids. */
  readonly idRange?: IdRange
  readonly isolation: Isolation
  readonly apps: readonly PreparedApp[]
}

/** One app of a prepared pod; paths are absolute. */
export interface PreparedApp {
  readonly name: ACName
  readonly runtime: RuntimeApp
  /** What runs. */
  readonly app: App
  readonly imageManifest: ImageManifest
  readonly imageID: ImageID
  readonly imageName: ACIdentifier
  readonly treeID: string
  /** The lower trees of the overlay, the topmost first, or the app's own copy. */
  readonly roots: readonly [string, ...string[]]
  /** With overlay only. */
  readonly upper?: string
  readonly work?: string
}

/**
 * Reads a prepared pod back.
 *
 * @throws RktError `unprepared` when a file of the preparation is missing or damaged, with the parser's fault as the cause.
 */
export function loadPreparedPod(pod: Pod): PreparedPod {
  try {
    return load(pod)
  } catch (cause) {
    if (!(cause instanceof RktError) && !isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    throw new RktError('unprepared', `cannot use pod "${pod.uuid}": its preparation is not complete: ${errorText(cause)}`, { cause, hint: `rkt rm ${pod.uuid}` })
  }
}

/** The manifest of a pod. */
export function readManifest(pod: Pod): PodManifest {
  return readPodManifest(readFileSync(pod.inside(podFile.manifest)))
}

/** The image manifest that was prepared for an app. */
export function readAppImage(pod: Pod, appName: ACName): ImageManifest {
  return readImageManifest(readFileSync(pod.inside(appInfo(appName, 'manifest'))))
}

/**
 * How a pod is kept apart from the host.
 *
 * @throws RktError `corrupted`.
 */
export function readPodIsolation(pod: Pod): Isolation {
  const path = pod.inside(podFile.isolation)
  if (!existsSync(path)) return { kind: 'ns' }
  const isolation = asIsolation(readFileSync(path, 'utf8'))
  if (isolation === undefined) throw new RktError('corrupted', `cannot read ${quote(path)}: not an isolation`)
  return isolation
}

function load(pod: Pod): PreparedPod {
  const manifest = readManifest(pod)
  const overlay = existsSync(pod.inside(podFile.overlayPrepared))
  const idRange = readIdRange(pod.inside('.'))
  return {
    uuid: pod.uuid,
    dir: pod.dir,
    manifest,
    overlay,
    ...(idRange === undefined ? {} : { idRange }),
    isolation: readPodIsolation(pod),
    apps: manifest.apps.map((runtime) => loadApp(pod, runtime, overlay)),
  }
}

function loadApp(pod: Pod, runtime: RuntimeApp, overlay: boolean): PreparedApp {
  const imageManifest = readAppImage(pod, runtime.name)
  const treeID = readTreeID(pod.inside(appInfo(runtime.name, 'treeStoreID')))
  const paths = overlayPaths(treeID, runtime.name)
  return {
    name: runtime.name,
    runtime,
    app: effectiveApp(runtime, imageManifest),
    imageManifest,
    imageID: runtime.image.id,
    imageName: runtime.image.name ?? imageManifest.name,
    treeID,
    roots: overlay ? loadRoots(pod, runtime.name, treeID) : [join(pod.dir, copiedRootfs(runtime.name))],
    ...(overlay ? { upper: join(pod.dir, paths.upper), work: join(pod.dir, paths.work) } : {}),
  }
}

function loadRoots(pod: Pod, app: ACName, treeID: string): readonly [string, ...string[]] {
  const { treeRootfs } = dataPaths(pod.dataDir)
  const [top = treeID, ...rest] = readLayers(pod.inside(appInfo(app, 'layers'))) ?? []
  return [treeRootfs(top), ...rest.map(treeRootfs)]
}

/**
 * The IDs of the trees of an image that has more than its own one, the topmost first; undefined when the file is not there.
 *
 * @throws RktError `corrupted`.
 */
export function readLayers(path: string): readonly string[] | undefined {
  if (!existsSync(path)) return undefined
  return readFileSync(path, 'utf8').trim().split('\n').map((id) => checkedTreeID(id, path))
}

/**
 * The tree ID in a file, which becomes a part of paths.
 *
 * @throws RktError `corrupted`.
 */
export function readTreeID(path: string): string {
  return checkedTreeID(readFileSync(path, 'utf8').trim(), path)
}

function checkedTreeID(text: string, path: string): string {
  if (!isTreeID(text)) throw new RktError('corrupted', `cannot read ${quote(path)}: not a tree ID`)
  return text
}
