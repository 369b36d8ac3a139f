import { RktError } from '../../base/index.ts'
import { warmCgroups } from '../../stage1/index.ts'
import type { Context } from '../context.ts'
import { gatherPod } from '../gather-pod.ts'
import { openImages } from '../images.ts'
import { createPod, fillPod, readPrepareFlags, saveUUID } from '../new-pod.ts'
import type { Invocation } from '../parse/invocation.ts'
import { progressBar } from '../progress.ts'
import { readPullPolicy } from '../pull-policy.ts'
import { checkNetFlags, readStartFlags } from '../runtime-flags.ts'
import { discardPod, startOrPlan } from '../start.ts'

/** Makes a pod of images and becomes it. A pod that does not start is removed. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags, apps } = invocation
  const pullPolicy = readPullPolicy(flags)
  const start = readStartFlags(flags, context)
  checkNetFlags(flags, start)
  if (start.interactive && apps.length > 1) throw new RktError('usage', 'interactive option only supports one image')
  const prepare = await readPrepareFlags(flags, context)
  warmCgroups()
  using bar = progressBar({ columns: context.env['COLUMNS'], now: context.now })
  const place = openImages(context, { pullPolicy, onProgress: bar.onProgress })
  const { images, manifest: makeManifest } = await gatherPod(context, invocation, place)
  const manifest = makeManifest()
  using pod = createPod(context)
  const dryRun = flags.bool('dry-run')
  try {
    if (!dryRun) saveUUID(context, flags, pod)
    await fillPod(context, pod, { manifest, images, place, ...prepare })
    pod.toRun()
    bar[Symbol.dispose]()
    await startOrPlan(context, pod, { flags: start, dryRun })
  } catch (error) {
    await discardPod(context, pod)
    throw error
  }
  await discardPod(context, pod)
  return 0
}
