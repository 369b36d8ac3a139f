import { statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { errorText, escapeText, isErrno, quote, RktError, unreachable } from '../base/index.ts'
import { type ACName, type App, emptyVolumeDefaults, type EmptyVolume, parseACName, type Propagation, type RuntimeApp, type Volume } from '../spec/index.ts'
import { podFile } from './layout.ts'

/** Where the content of a mount comes from. */
export type MountSource =
  | {
      readonly kind: 'host'
      /** Absolute path on the host. */
      readonly path: string
      /** Whether mounts below the source come along; undefined leaves it to the flavour. */
      readonly recursive: boolean | undefined
      /** Left out: private. */
      readonly propagation?: Propagation
    }
  | {
      readonly kind: 'empty'
      /** Relative to the pod directory. */
      readonly path: string
      /** Permission bits, and ids inside the pod; undefined: those of the directory of the image that the volume covers. */
      readonly owner: EmptyOwner | undefined
    }

/** Whom an empty volume belongs to. */
export interface EmptyOwner {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** A volume at its place in an app. */
export interface ResolvedMount {
  readonly volume: ACName
  /** Path inside the app, as the manifest has it: it may pass through symbolic links of the image. */
  readonly target: string
  readonly readOnly: boolean
  readonly source: MountSource
}

export interface ResolvedMounts {
  readonly mounts: readonly ResolvedMount[]
  /** What the user should know, one line each. */
  readonly warnings: readonly string[]
}

/** The part of a prepared app that decides about its mounts. */
export interface MountingApp {
  readonly name: ACName
  readonly runtime: RuntimeApp
  readonly app: App
}

/**
 * Pairs volumes and mount points: first the mounts of the pod manifest, then every mount point of the image that none of them
 * covers, with the volume of its name or else an empty one of its own.
 *
 * @throws RktError `invalid-manifest` for a mount of an unknown volume.
 */
export function resolveMounts(app: MountingApp, volumes: readonly Volume[]): ResolvedMounts {
  const known = new Map(volumes.map((volume) => [volume.name, volume]))
  const mounts: ResolvedMount[] = []
  const warnings: string[] = []
  const covered = new Set<string>()

  for (const { volume: name, path, appVolume } of app.runtime.mounts) {
    const volume = appVolume ?? known.get(name)
    if (volume === undefined) throw new RktError('invalid-manifest', `could not find volume ${name}`)
    const point = app.app.mountPoints.find((candidate) => candidate.name === name || clean(candidate.path) === clean(path))
    mounts.push(resolve(volume, { path, readOnly: point?.readOnly ?? false }))
    covered.add(clean(path))
  }
  for (const point of app.app.mountPoints) {
    if (covered.has(clean(point.path))) continue
    const volume = known.get(point.name)
    if (volume === undefined) {
      warnings.push(`warning: no volume specified for mount point ${quote(point.name)}, implicitly creating an "empty" volume. This volume will be removed when the pod is garbage-collected.`)
    }
    mounts.push(resolve(volume ?? implicitVolume(app.name, point.name), point))
  }
  return { mounts, warnings }
}

/**
 * Checks that every host path that is to be mounted exists.
 *
 * @throws RktError `missing-volume` with exit status 1, as the original's container manager gave it.
 */
export function requireHostSources(mounts: readonly ResolvedMount[]): void {
  for (const { source, volume } of mounts) {
    if (source.kind !== 'host') continue
    try {
      statSync(source.path)
    } catch (cause) {
      const state = isErrno(cause, 'ENOENT') ? 'No such file or directory' : errorText(cause)
      throw new RktError('missing-volume', `Failed to stat ${escapeText(source.path)}: ${state}`, {
        cause,
        exitStatus: 1,
        hint: `make the path, or give volume ${quote(volume)} another source`,
      })
    }
  }
}

function resolve(volume: Volume, at: { readonly path: string; readonly readOnly: boolean }): ResolvedMount {
  return { volume: volume.name, target: at.path, readOnly: volume.readOnly ?? at.readOnly, source: sourceOf(volume) }
}

function sourceOf(volume: Volume): MountSource {
  switch (volume.kind) {
    case 'host':
      return {
        kind: 'host',
        path: volume.source,
        recursive: volume.recursive,
        ...(volume.propagation === undefined ? {} : { propagation: volume.propagation }),
      }
    case 'empty':
      return { kind: 'empty', path: join(podFile.sharedVolumes, volume.name), owner: ownerOf(volume) }
    default:
      return unreachable(volume)
  }
}

function ownerOf({ mode, uid, gid }: EmptyVolume): EmptyOwner | undefined {
  if (mode === undefined && uid === undefined && gid === undefined) return undefined
  const { mode: otherMode, uid: otherUid, gid: otherGid } = emptyVolumeDefaults
  return { mode: Number.parseInt(mode ?? otherMode, 8), uid: uid ?? otherUid, gid: gid ?? otherGid }
}

function implicitVolume(app: ACName, mountPoint: ACName): Volume {
  return { name: parseACName(`${app}-${mountPoint}`), kind: 'empty' }
}

function clean(path: string): string {
  return posix.normalize(`/${path}`).replace(/(?<=.)\/$/, '')
}
