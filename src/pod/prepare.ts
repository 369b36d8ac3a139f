import { chmodSync, chownSync, closeSync, constants, lstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Log, RktError } from '../base/index.ts'
import { imageManifestToJson, type Isolation, isolationText, parsePodManifest, type PodManifest, podManifestToJson, type RuntimeApp } from '../spec/index.ts'
import { namedRoot } from '../store/index.ts'
import type { PodImage } from './app-args.ts'
import { copyTrees } from './copy-tree.ts'
import { effectiveApp } from './effective-app.ts'
import { cannot } from './io-error.ts'
import { chooseIdRange, type ChooseRangeOptions } from './id-range.ts'
import { appInfo, dataPaths, podFile } from './layout.ts'
import { lockShared } from './lock-wait.ts'
import type { Pod } from './pod.ts'
import { makeVolumes } from './volumes.ts'

export interface PrepareInputs {
  readonly manifest: PodManifest
  /** The image of each app, in the order of the manifest. */
  readonly images: readonly PodImage[]
  /** Renders the trees of an image unless they are there; gives their directories below `cas/tree`, the topmost first. */
  readonly ensureTrees: (image: PodImage) => Promise<readonly string[]>
  /** Whether the apps' roots are overlays over the trees; else each app gets a copy. */
  readonly overlay: boolean
  /** Left out: the pod shares the host's user ids. */
  readonly privateUsers?: ChooseRangeOptions
  /** Left out: namespaces. */
  readonly isolation?: Isolation
  readonly log: Log
  readonly signal?: AbortSignal
}

/**
 * Fills the directory of a new pod: everything that its start needs, the manifest last. The store's collection waits meanwhile, and
 * afterwards finds the trees of the pod in `treeStoreID`, which is written with and without overlay.
 *
 * @throws RktError whatever stands in the way; the pod then stays behind as an aborted prepare.
 */
export async function preparePod(pod: Pod, inputs: PrepareInputs): Promise<void> {
  try {
    await fill(pod, inputs)
  } catch (cause) {
    throw cannot(`prepare pod "${pod.uuid}"`, cause)
  }
}

async function fill(pod: Pod, inputs: PrepareInputs): Promise<void> {
  // What is written must be readable: the manifest may come from flags, which know less than the parser.
  const manifest = parsePodManifest(podManifestToJson(inputs.manifest))
  using _lock = await lockShared(dataPaths(pod.dataDir).prepareLock, inputs.signal)

  makeDirectories(pod)
  for (const [index, app] of manifest.apps.entries()) {
    const image = inputs.images[index]
    if (image === undefined) throw new Error(`no image was given for app ${app.name}`)
    const roots = await prepareApp(pod, { app, image, inputs })
    const mounting = { name: app.name, runtime: app, app: effectiveApp(app, image.manifest) }
    const warnings = await makeVolumes(pod, { app: mounting, image: image.manifest, roots, manifest, signal: inputs.signal })
    for (const warning of warnings) inputs.log.warn(warning)
  }
  if (inputs.overlay) touch(pod.inside(podFile.overlayPrepared))
  if (inputs.privateUsers !== undefined) chooseIdRange(pod, inputs.privateUsers)

  if (inputs.isolation !== undefined) writeFileSync(pod.inside(podFile.isolation), isolationText(inputs.isolation), { mode: 0o640 })

  inputs.log.debug('prepare', 'Writing pod manifest')
  writeFileSync(pod.inside(podFile.manifest), `${JSON.stringify(podManifestToJson(manifest))}\n`, { mode: 0o640 })
}

interface AppStep {
  readonly app: RuntimeApp
  readonly image: PodImage
  readonly inputs: Pick<PrepareInputs, 'ensureTrees' | 'overlay' | 'signal'>
}

/** What apps write lies behind directories for root alone: a file with set-user-id must be out of reach for the users of the host. */
function makeDirectories(pod: Pod): void {
  for (const path of [podFile.appsInfo, podFile.logs, podFile.status]) mkdirSync(pod.inside(path), { recursive: true, mode: 0o750 })
  for (const path of [podFile.overlay, podFile.sharedVolumes, podFile.stage2]) mkdirSync(pod.inside(path), { recursive: true, mode: 0o700 })
}

/** Makes the directories of one app; gives the roots of its image's trees, the topmost first. */
export async function prepareApp(pod: Pod, { app, image, inputs }: AppStep): Promise<readonly string[]> {
  const trees = await inputs.ensureTrees(image)
  inputs.signal?.throwIfAborted()
  const roots = trees.map((tree) => join(tree, 'rootfs'))
  const { treeID, verdict } = image.record
  mkdirSync(pod.inside(join(podFile.appsInfo, app.name)), { mode: 0o750 })
  writeFileSync(pod.inside(appInfo(app.name, 'manifest')), JSON.stringify(imageManifestToJson(image.manifest)), { mode: 0o640 })
  writeFileSync(pod.inside(appInfo(app.name, 'treeStoreID')), treeID, { mode: 0o640 })
  const names = trees.map((tree) => basename(tree))
  if (names.join() !== treeID) writeFileSync(pod.inside(appInfo(app.name, 'layers')), names.map((name) => `${name}\n`).join(''), { mode: 0o640 })
  writeFileSync(pod.inside(appInfo(app.name, 'verdict')), JSON.stringify(verdict), { mode: 0o640 })

  if (inputs.overlay) {
    const { upper, work } = overlayPaths(treeID, app.name)
    mkdirSync(pod.inside(work), { recursive: true, mode: 0o700 })
    mkdirSync(pod.inside(upper), { recursive: true, mode: 0o700 })
    copyOwner(namedRoot(roots), pod.inside(upper))
  } else {
    const copy = copiedRootfs(app.name)
    mkdirSync(pod.inside(join(copy, '..')), { mode: 0o700 })
    await copyTrees(roots, join(pod.dir, copy), { lockFd: pod.fd, signal: inputs.signal })
  }
  return roots
}

/** Paths of an app's overlay directories, relative to the pod directory. */
export function overlayPaths(treeID: string, appName: string): { readonly upper: string; readonly work: string } {
  const base = join(podFile.overlay, treeID)
  return { upper: join(base, 'upper', appName), work: join(base, 'work', appName) }
}

/** Path of an app's copied root, relative to the pod directory. */
export function copiedRootfs(appName: string): string {
  return join(podFile.stage2, appName, 'rootfs')
}

/** The top of an overlay shows the owner and mode of its upper directory, not those of the tree. */
function copyOwner(from: string, to: string): void {
  const model = lstatSync(from)
  if (!model.isDirectory()) throw new RktError('corrupted', `cannot use tree ${JSON.stringify(from)}: not a directory`)
  chownSync(to, model.uid, model.gid)
  chmodSync(to, model.mode & 0o7777)
}

function touch(path: string): void {
  closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o640))
}
