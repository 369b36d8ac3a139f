import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { emptyVolumeDefaults, type ImageManifest, type PodManifest, valueOf } from '../spec/index.ts'
import { directoriesAt, namedRoot } from '../store/index.ts'
import { copyTrees } from './copy-tree.ts'
import { type MountingApp, type EmptyOwner, type ResolvedMount, resolveMounts } from './mounts.ts'
import type { Pod } from './pod.ts'

/** An image that was converted from a Docker image says so with this annotation; its volumes begin with what the image holds there. */
const convertedFromDocker = 'appc.io/docker/repository'

export interface VolumesOptions {
  readonly app: MountingApp
  readonly image: ImageManifest
  /** Roots of the image's trees, the topmost first. */
  readonly roots: readonly string[]
  readonly manifest: PodManifest
  readonly signal: AbortSignal | undefined
}

/** Makes the directories of the empty volumes that an app mounts. Returns what the user should know, one line each. */
export async function makeVolumes(pod: Pod, { app, image, roots, manifest, signal }: VolumesOptions): Promise<readonly string[]> {
  const { mounts, warnings } = resolveMounts(app, manifest.volumes)
  for (const mount of mounts) {
    if (mount.source.kind !== 'empty') continue
    const covered = coveredDirectory(roots, mount.target)
    if (!makeVolume(pod.inside(mount.source.path), mount.source.owner ?? covered ?? noOwner)) continue
    if (covered === undefined || !isImplicit(mount, app, manifest) || valueOf(image.annotations, convertedFromDocker) === undefined) continue
    await copyTrees(covered.paths, join(pod.dir, mount.source.path), { lockFd: pod.fd, signal })
  }
  return warnings
}

const noOwner: EmptyOwner = { mode: Number.parseInt(emptyVolumeDefaults.mode, 8), uid: emptyVolumeDefaults.uid, gid: emptyVolumeDefaults.gid }

/** The directory of the image that lies below a volume; several that lie over each other. */
function coveredDirectory(roots: readonly string[], target: string): (EmptyOwner & { readonly paths: readonly string[] }) | undefined {
  const paths = directoriesAt(roots, target)
  if (paths.length === 0) return undefined
  const { mode, uid, gid } = lstatSync(namedRoot(paths))
  return { paths, mode: mode & 0o7777, uid, gid }
}

/** A volume shared by several apps is made by the first one: false when it is there. */
function makeVolume(path: string, { mode, uid, gid }: EmptyOwner): boolean {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false
  mkdirSync(path, { mode: 0o700 })
  // Ids of the pod, as they are: the mount that shows the volume maps them.
  chownSync(path, uid, gid)
  chmodSync(path, mode)
  return true
}

function isImplicit({ volume }: ResolvedMount, app: MountingApp, { volumes }: PodManifest): boolean {
  return !volumes.some(({ name }) => name === volume) && !app.runtime.mounts.some((mount) => mount.volume === volume)
}
