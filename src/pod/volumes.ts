import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { emptyVolumeDefaults, type ImageManifest, type PodManifest, valueOf } from '../spec/index.ts'
import { copyTree } from './copy-tree.ts'
import { type MountingApp, type EmptyOwner, type ResolvedMount, resolveMounts } from './mounts.ts'
import type { Pod } from './pod.ts'
import { resolveInTree } from './resolve-in-tree.ts'

/** An image that was converted from a Docker image says so with this annotation; its volumes begin with what the image holds there. */
const convertedFromDocker = 'appc.io/docker/repository'

export interface VolumesOptions {
  readonly app: MountingApp
  readonly image: ImageManifest
  /** Root of the image's tree. */
  readonly rootfs: string
  readonly manifest: PodManifest
  readonly signal: AbortSignal | undefined
}

/** Makes the directories of the empty volumes that an app mounts. Returns what the user should know, one line each. */
export async function makeVolumes(pod: Pod, { app, image, rootfs, manifest, signal }: VolumesOptions): Promise<readonly string[]> {
  const { mounts, warnings } = resolveMounts(app, manifest.volumes)
  for (const mount of mounts) {
    if (mount.source.kind !== 'empty') continue
    const covered = coveredDirectory(rootfs, mount.target)
    if (!makeVolume(pod.inside(mount.source.path), mount.source.owner ?? covered ?? noOwner)) continue
    if (covered === undefined || !isImplicit(mount, app, manifest) || valueOf(image.annotations, convertedFromDocker) === undefined) continue
    await copyTree(covered.path, join(pod.dir, mount.source.path), { lockFd: pod.fd, signal })
  }
  return warnings
}

const noOwner: EmptyOwner = { mode: Number.parseInt(emptyVolumeDefaults.mode, 8), uid: emptyVolumeDefaults.uid, gid: emptyVolumeDefaults.gid }

/** The directory of the image that lies below a volume. */
function coveredDirectory(rootfs: string, target: string): (EmptyOwner & { readonly path: string }) | undefined {
  const path = resolveInTree(rootfs, target)
  const status = path === undefined ? undefined : lstatSync(path)
  return path === undefined || status?.isDirectory() !== true ? undefined : { path, mode: status.mode & 0o7777, uid: status.uid, gid: status.gid }
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
