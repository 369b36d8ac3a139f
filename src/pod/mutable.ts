import { type PodManifest, valueOf } from '../spec/index.ts'

/** The annotation of pods whose apps come and go; those of `rkt run` have it as `false`. */
export const mutableAnnotation = 'coreos.com/rkt/stage1/mutable'

/** Whether apps may be added to the running pod. */
export function isMutable(manifest: Pick<PodManifest, 'annotations'>): boolean {
  return valueOf(manifest.annotations, mutableAnnotation) === 'true'
}
