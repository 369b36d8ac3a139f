import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText, quote, RktError } from '../base/index.ts'
import { parsePortFlag, resolvePorts } from '../network/index.ts'
import { buildPodManifest, completePodManifest, type AppArgs, type PodImage } from '../pod/index.ts'
import { parseMountFlag, parseVolumeFlag, readPodManifest, type PodManifest } from '../spec/index.ts'
import { readAppFlags } from './app-args.ts'
import type { Context } from './context.ts'
import { readEnvironmentFlags } from './environment-flags.ts'
import type { ImagePlace } from './images.ts'
import type { Invocation } from './parse/invocation.ts'
import { rktVersion } from './version.ts'

/** Everything of a new pod that is known before it gets a directory. */
export interface GatheredPod {
  /** One for each app, in its order. */
  readonly images: readonly PodImage[]
  /**
   * The pod's manifest.
   *
   * @throws RktError `usage` for apps of one name, dangling mounts, and apps that say nothing to run.
   */
  readonly manifest: () => PodManifest
}

/**
 * Reads what the command line says of a pod, and gets its images.
 *
 * @throws RktError `usage` before any image is looked at; whatever stands in the way of an image.
 */
export async function gatherPod(context: Context, invocation: Invocation, place: ImagePlace): Promise<GatheredPod> {
  const path = invocation.flags.text('pod-manifest')
  if (path !== undefined && path !== '') return gatherFromManifest(context, { invocation, place, path })
  const { apps, flags } = invocation
  if (apps.length === 0) throw new RktError('usage', 'must provide at least one image or specify the pod manifest')
  const environment = readEnvironmentFlags(flags, context)
  const volumes = flags.list('volume').map(parseVolumeFlag)
  const ports = flags.list('port').map(parsePortFlag)
  const podMounts = invocation.podMounts.map(parseMountFlag)
  const overrides = apps.map(readAppFlags)
  const images: PodImage[] = []
  for (const app of apps) images.push(await place.acquire(app.image, app.flags))
  const args = overrides.flatMap((override, index): AppArgs[] => {
    const image = images[index]
    return image === undefined ? [] : [{ ...override, image }]
  })
  const caller = { uid: context.euid, gid: context.egid }
  const manifest = (): PodManifest => checkPorts(buildPodManifest({ acVersion: rktVersion, apps: args, volumes, ports, podMounts, environment, caller }), images)
  return { images, manifest }
}

interface FromManifest {
  readonly invocation: Invocation
  readonly place: ImagePlace
  readonly path: string
}

async function gatherFromManifest(context: Context, { invocation, place, path }: FromManifest): Promise<GatheredPod> {
  if (hasConflict(invocation)) throw new RktError('usage', 'conflicting flags set with --pod-manifest (see --help)')
  const given = readPodManifest(readBytes(resolve(context.cwd, path), path))
  const { manifest, images } = await completePodManifest(given, (id) => place.stored(id))
  return { images, manifest: () => checkPorts(manifest, images) }
}

/** A port that no app has is told before anything is prepared. */
function checkPorts(manifest: PodManifest, images: readonly PodImage[]): PodManifest {
  resolvePorts(manifest.ports, manifest.apps.flatMap(({ app }, index) => app ?? images[index]?.manifest.app ?? []))
  return manifest
}

/** Flags that say what the manifest says. */
const conflicting = { bools: ['store-only', 'no-store', 'inherit-env'], lists: ['volume', 'port', 'set-env', 'set-env-file'] } as const

function hasConflict({ flags, apps, podMounts }: Invocation): boolean {
  const named = conflicting.bools.some((name) => flags.bool(name)) || conflicting.lists.some((name) => flags.list(name).length > 0)
  return named || apps.length > 0 || podMounts.length > 0
}

function readBytes(path: string, given: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new RktError('io', `cannot read pod manifest ${quote(given)}: ${errorText(cause)}`, { cause })
  }
}
