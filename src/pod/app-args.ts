import type { ImageID } from '../base/index.ts'
import type { ACIdentifier, ACName, Annotation, EnvironmentVariable, ImageManifest, Label } from '../spec/index.ts'
import type { Verdict } from '../trust/index.ts'
import type { IsolatorFlags } from './isolator-flags.ts'

/** An image that a pod uses: what the store knows of it, and its manifest. */
export interface PodImage {
  readonly record: {
    readonly id: ImageID
    readonly name: ACIdentifier
    readonly labels: readonly Label[]
    readonly treeID: string
    /** Who vouches for the image; kept with the pod as it is. */
    readonly verdict: Verdict
  }
  readonly manifest: ImageManifest
}

/** Where a volume is mounted in an app. */
export interface MountRequest {
  readonly volume: ACName
  readonly path: string
}

/** One image of a command line, with everything that was said of it. */
export interface AppArgs {
  readonly image: PodImage
  readonly name?: ACName
  /** Replaces the whole command of the image, as one word. */
  readonly exec?: string
  /** What stood between `--` and `---`; appended to the command. */
  readonly args: readonly string[]
  readonly user?: string
  readonly group?: string
  readonly supplementaryGIDs?: readonly number[]
  readonly workingDirectory?: string
  readonly readOnlyRootFS?: boolean
  readonly mounts: readonly MountRequest[]
  readonly environment: readonly EnvironmentVariable[]
  readonly annotations: readonly Annotation[]
  readonly userAnnotations: Readonly<Record<string, string>>
  readonly userLabels: Readonly<Record<string, string>>
  readonly isolators: IsolatorFlags
}
