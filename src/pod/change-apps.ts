import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, type Log, quote, RktError, writeDurably } from '../base/index.ts'
import { parsePodManifest, type PodManifest, podManifestToJson, type RuntimeApp } from '../spec/index.ts'
import type { PodImage } from './app-args.ts'
import { effectiveApp } from './effective-app.ts'
import { cannot } from './io-error.ts'
import { dataPaths, podFile } from './layout.ts'
import { lockFileExclusively, lockShared } from './lock-wait.ts'
import { isMutable } from './mutable.ts'
import type { Pod } from './pod.ts'
import { prepareApp } from './prepare.ts'
import { readManifest } from './prepared-pod.ts'
import { emptyDirectory } from './remove-tree.ts'
import { makeVolumes } from './volumes.ts'

/** Apps that the launcher takes for one pod. */
export const maxApps = 64

export interface AddAppInputs {
  readonly app: RuntimeApp
  readonly image: PodImage
  readonly ensureTrees: (image: PodImage) => Promise<readonly string[]>
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Puts an app into a pod that was made for changes; it is not started. The manifest is written last: an addition that was cut short is
 * cleared away by the next one, or with the pod.
 *
 * @throws RktError `wrong-state` for other pods, `already-exists`, `limit-exceeded`, and what stands in the way of its preparation.
 */
export async function addApp(pod: Pod, { app, image, ensureTrees, log, signal }: AddAppInputs): Promise<void> {
  using _lock = await lockApps(pod, signal)
  const before = readMutableManifest(pod, 'add app')
  if (before.apps.some(({ name }) => name === app.name)) throw new RktError('already-exists', `cannot add app ${quote(app.name)}: the pod has an app of this name`)
  if (before.apps.length === maxApps) throw new RktError('limit-exceeded', `cannot add app ${quote(app.name)}: the pod has ${maxApps} apps`)
  const manifest = parsePodManifest(podManifestToJson({ ...before, apps: [...before.apps, app] }))
  try {
    using _prepare = await lockShared(dataPaths(pod.dataDir).prepareLock, signal)
    removeAppFiles(pod, app.name)
    const overlay = existsSync(pod.inside(podFile.overlayPrepared))
    const roots = await prepareApp(pod, { app, image, inputs: { ensureTrees, overlay, signal } })
    const mounting = { name: app.name, runtime: app, app: effectiveApp(app, image.manifest) }
    for (const warning of await makeVolumes(pod, { app: mounting, image: image.manifest, roots, manifest, signal })) log.warn(warning)
    writeFileSync(pod.inside(join(podFile.status, `${app.name}-created`)), '', { mode: 0o640 })
    writeManifest(pod, manifest)
  } catch (cause) {
    throw cannot(`add app ${quote(app.name)}`, cause)
  }
}

/**
 * Takes an app out of a pod, with everything that it wrote; the launcher must have forgotten it.
 *
 * @throws RktError `wrong-state`, `not-found`, `io`.
 */
export async function removeApp(pod: Pod, name: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  using _lock = await lockApps(pod, signal)
  const before = readMutableManifest(pod, 'remove app')
  const apps = before.apps.filter((app) => app.name !== name)
  if (apps.length === before.apps.length) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(name)}`)
  writeManifest(pod, { ...before, apps })
  removeAppFiles(pod, name)
}

/** SPEC: the original serialises changes of a running pod with this lock file. */
async function lockApps(pod: Pod, signal: AbortSignal): Promise<Disposable> {
  return await lockFileExclusively(pod.inside('pod.lck'), signal)
}

function readMutableManifest(pod: Pod, action: string): PodManifest {
  const manifest = readManifest(pod)
  if (!isMutable(manifest)) {
    throw new RktError('wrong-state', `cannot ${action}: pod "${pod.uuid}" is immutable`, { hint: 'only pods of "rkt app sandbox" can be changed' })
  }
  return manifest
}

function writeManifest(pod: Pod, manifest: PodManifest): void {
  writeDurably(pod.inside(podFile.manifest), `${JSON.stringify(podManifestToJson(manifest))}\n`, { mode: 0o640 })
}

/** All that lies in the pod directory about one app; volumes stay, others may have them too. */
function removeAppFiles(pod: Pod, name: string): void {
  for (const suffix of ['', '-created', '-started', '-reason']) rmSync(pod.inside(join(podFile.status, `${name}${suffix}`)), { force: true })
  removeLogs(pod, name)
  for (const path of [...overlayDirectories(pod, name), join(podFile.stage2, name), join(podFile.appsInfo, name)]) removeDirectory(pod, path)
}

function removeLogs(pod: Pod, name: string): void {
  rmSync(pod.inside(join(podFile.logs, name)), { force: true })
  for (let number = 1; existsSync(pod.inside(join(podFile.logs, `${name}.${number}`))); number += 1) rmSync(pod.inside(join(podFile.logs, `${name}.${number}`)))
}

function overlayDirectories(pod: Pod, name: string): readonly string[] {
  return readdirSync(pod.inside(podFile.overlay)).flatMap((tree) => ['upper', 'work'].map((kind) => join(podFile.overlay, tree, kind, name)))
}

/** Renamed out of the way first: a half-removed directory is never taken for an app's. */
function removeDirectory(pod: Pod, path: string): void {
  mkdirSync(pod.inside('trash'), { recursive: true, mode: 0o700 })
  try {
    renameSync(pod.inside(path), pod.inside(join('trash', path.replaceAll('/', '_'))))
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    return
  }
  emptyDirectory(pod.inside('trash'), { keep: [], shownAs: join(pod.dir, 'trash') })
  rmdirSync(pod.inside('trash'))
}
