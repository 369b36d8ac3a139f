import { type ImageID, quote, RktError } from '../base/index.ts'
import { type ExposedPort, parseACIdentifier, type PodManifest, type RuntimeApp, type Volume } from '../spec/index.ts'
import type { AppArgs, PodImage } from './app-args.ts'
import { mutableAnnotation } from './mutable.ts'
import { buildRuntimeApp, type RuntimeAppOptions } from './runtime-app.ts'

export interface PodManifestInputs extends RuntimeAppOptions {
  /** Version of rkt, which the original writes as the manifest's version. */
  readonly acVersion: string
  readonly apps: readonly AppArgs[]
  readonly volumes: readonly Volume[]
  readonly ports: readonly ExposedPort[]
}

/**
 * The pod manifest that a command line describes.
 *
 * @throws RktError `usage` with the original's texts: duplicate volumes, dangling mounts, several apps of one name, nothing to run.
 */
export function buildPodManifest(inputs: PodManifestInputs): PodManifest {
  if (inputs.apps.length === 0) throw new RktError('usage', 'must provide at least one image or specify the pod manifest')
  checkVolumes(inputs.volumes)
  const apps = inputs.apps.map((args) => buildRuntimeApp(args, inputs))
  checkApps(apps, inputs.volumes)
  return {
    acVersion: inputs.acVersion,
    acKind: 'PodManifest',
    apps,
    volumes: inputs.volumes,
    isolators: [],
    annotations: [{ name: parseACIdentifier(mutableAnnotation), value: 'false' }],
    ports: inputs.ports,
    userAnnotations: {},
    userLabels: {},
  }
}

export type SandboxManifestInputs = Pick<PodManifest, 'acVersion' | 'ports' | 'annotations' | 'userAnnotations' | 'userLabels'>

/** The manifest of a pod to which apps are added while it runs. */
export function buildSandboxManifest({ annotations, ...inputs }: SandboxManifestInputs): PodManifest {
  const mutable = { name: parseACIdentifier(mutableAnnotation), value: 'true' }
  return { ...inputs, acKind: 'PodManifest', apps: [], volumes: [], isolators: [], annotations: [...annotations.filter(({ name }) => name !== mutable.name), mutable] }
}

/** A pod manifest from a file, ready to be prepared, and the images of its apps in their order. */
export interface CompletedPod {
  readonly manifest: PodManifest
  readonly images: readonly PodImage[]
}

/**
 * Completes the manifest of `--pod-manifest`: each image is looked up by its ID alone, and says what runs where the manifest does not.
 *
 * @throws RktError `usage`, and whatever `lookUp` throws for an image that is not in the store.
 */
export async function completePodManifest(manifest: PodManifest, lookUp: (id: ImageID) => Promise<PodImage>): Promise<CompletedPod> {
  if (manifest.apps.length === 0) throw new RktError('usage', 'pod must contain at least one application')
  const images: PodImage[] = []
  for (const app of manifest.apps) images.push(await lookUp(app.image.id))
  const apps = manifest.apps.map((app, index): RuntimeApp => {
    const image = images[index]
    if (image === undefined) return app
    if (app.app === undefined && image.manifest.app === undefined) {
      throw new RktError('usage', `cannot use app ${quote(app.name)}: no app section in the pod manifest or the image manifest`)
    }
    const { record } = image
    return { ...app, image: { name: app.image.name ?? record.name, id: record.id, labels: app.image.labels.length > 0 ? app.image.labels : record.labels } }
  })
  checkVolumes(manifest.volumes)
  checkApps(apps, manifest.volumes)
  return { manifest: { ...manifest, apps }, images }
}

function checkVolumes(volumes: readonly Volume[]): void {
  const seen = new Set<string>()
  for (const { name } of volumes) {
    if (seen.has(name)) throw new RktError('usage', `duplicate volume name ${quote(name)}`)
    seen.add(name)
  }
}

function checkApps(apps: readonly RuntimeApp[], volumes: readonly Volume[]): void {
  const known = new Set<string>(volumes.map((volume) => volume.name))
  const seen = new Set<string>()
  for (const app of apps) {
    if (seen.has(app.name)) throw new RktError('usage', `error: multiple apps with name ${app.name}`, { hint: 'give one of them another name with --name' })
    seen.add(app.name)
    const dangling = app.mounts.find((mount) => mount.appVolume === undefined && !known.has(mount.volume))
    if (dangling !== undefined) {
      throw new RktError('usage', `dangling mount point ${quote(dangling.path)}: volume ${quote(dangling.volume)} not found`)
    }
  }
}
