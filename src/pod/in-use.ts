import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, isRktError } from '../base/index.ts'
import { appInfo, podFile, stages } from './layout.ts'
import type { Pod } from './pod.ts'
import type { Pods } from './pods.ts'
import { readLayers, readManifest, readTreeID } from './prepared-pod.ts'

/** What pods still need of the store, as IDs. */
export interface InUse {
  readonly trees: ReadonlySet<string>
  readonly images: ReadonlySet<string>
}

/**
 * Trees and images of every pod in every stage. True for as long as the caller holds `locks/prepareLock` exclusively: no pod is
 * being prepared then.
 */
export function inUse(pods: Pods): InUse {
  const trees = new Set<string>()
  const images = new Set<string>()
  for (const stage of stages) {
    for (const uuid of pods.uuidsIn(stage)) {
      using pod = pods.openIn(stage, uuid) ?? pods.open(uuid)
      if (pod === undefined) continue
      for (const tree of treesOf(pod)) trees.add(tree)
      for (const image of imagesOf(pod)) images.add(image)
    }
  }
  return { trees, images }
}

/** A tree is in use when an app names it or an overlay was made for it: one of both outlives any damage to the other. */
function treesOf(pod: Pod): string[] {
  const named = namesIn(pod.inside(podFile.appsInfo)).flatMap((app) => orNothing(() => [readTreeID(pod.inside(appInfo(app, 'treeStoreID')))]))
  const layers = namesIn(pod.inside(podFile.appsInfo)).flatMap((app) => orNothing(() => [...(readLayers(pod.inside(appInfo(app, 'layers'))) ?? [])]))
  return [...named, ...layers, ...namesIn(pod.inside(podFile.overlay))]
}

function imagesOf(pod: Pod): string[] {
  return orNothing(() => readManifest(pod).apps.map((app) => app.image.id))
}

function namesIn(directory: string): string[] {
  return orNothing(() => readdirSync(join(directory, '.')))
}

/** A pod without the file, or with a damaged one, cannot be run, and so needs nothing. */
function orNothing(read: () => string[]): string[] {
  try {
    return read()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || isRktError(error)) return []
    throw error
  }
}
