import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText, parseStrictJson, quote, RktError } from '../base/index.ts'
import { parsePortFlag, resolvePorts } from '../network/index.ts'
import { buildPodManifest, completePodManifest, type AppArgs, type PodImage } from '../pod/index.ts'
import { parseMountFlag, parsePodManifest, parseVolumeFlag, type PodManifest } from '../spec/index.ts'
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
  const json = parseStrictJson(readBytes(resolve(context.cwd, path), path), { what: 'pod manifest' })
  const given = parsePodManifest(withWholeIDs(json, (text) => place.store.resolve(text)))
  const { manifest, images } = await completePodManifest(given, (id) => place.stored(id))
  return { images, manifest: () => checkPorts(manifest, images) }
}

/** The manifest with the beginnings of image IDs, as `rkt fetch` prints them, made whole; what else is wrong with it is for its parser to say. */
function withWholeIDs(json: unknown, resolveID: (text: string) => string): unknown {
  if (!isObject(json) || !Array.isArray(json['apps'])) return json
  const apps = json['apps'].map((app: unknown): unknown => {
    const image = isObject(app) ? app['image'] : undefined
    const id = isObject(image) ? image['id'] : undefined
    return isObject(app) && isObject(image) && typeof id === 'string' && /^sha512-[0-9a-f]{0,63}$/.test(id) ? { ...app, image: { ...image, id: resolveID(id) } } : app
  })
  return { ...json, apps }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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
