import { RktError } from '../../base/index.ts'
import { addApp, buildRuntimeApp, loadPreparedPod } from '../../pod/index.ts'
import { parseMountVolumeFlag } from '../../spec/index.ts'
import { ensureTrees } from '../../store/index.ts'
import { requireIsolation } from '../../trust/index.ts'
import { readAppFlags } from '../app-args.ts'
import { openChangingPod } from '../changing-pod.ts'
import type { Context } from '../context.ts'
import { openImages } from '../images.ts'
import type { Invocation } from '../parse/invocation.ts'
import { usage } from '../arguments.ts'

/** Adds an app of a stored image to a running pod. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const [target, words, extra] = invocation.apps
  if (target === undefined || words === undefined || extra !== undefined || target.args !== undefined) {
    throw usage(invocation, 'must give only the pod UUID and one image')
  }
  const { log, signal } = context
  const overrides = readAppFlags(words)
  const volumes = words.flags.list('mnt-volume').map(parseMountVolumeFlag)
  using pod = openChangingPod(context, target.image)
  const prepared = loadPreparedPod(pod)
  const place = openImages(context, { pullPolicy: 'never' })
  const image = await place.acquire(words.image, words.flags)
  requireIsolation(place.keystore.policies, { name: image.record.name, isolation: prepared.isolation })
  const built = buildRuntimeApp(
    { ...overrides, image },
    { podMounts: [], environment: { inherited: [], file: [], set: [] }, caller: { uid: context.euid, gid: context.egid } },
  )
  const app = { ...built, mounts: [...volumes.map(({ volume, path }) => ({ volume: volume.name, path, appVolume: volume })), ...built.mounts] }
  const known = new Set<string>([...prepared.manifest.volumes.map(({ name }) => name), ...app.mounts.flatMap((mount) => (mount.appVolume === undefined ? [] : [mount.volume]))])
  const dangling = app.mounts.find(({ volume }) => !known.has(volume))
  if (dangling !== undefined) throw new RktError('usage', `dangling mount point "${dangling.path}": volume "${dangling.volume}" not found`)
  await addApp(pod, { app, image, ensureTrees: (wanted) => ensureTrees(place.store, place.store.record(wanted.record.id), { signal }), log, signal })
  return 0
}
