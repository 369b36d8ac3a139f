import { RktError } from '../../base/index.ts'
import { parseSandboxPortFlag } from '../../network/index.ts'
import { buildSandboxManifest } from '../../pod/index.ts'
import { warmCgroups } from '../../stage1/index.ts'
import { readPodAnnotations } from '../app-args.ts'
import { takeNone } from '../arguments.ts'
import { failingWithOne } from '../changing-pod.ts'
import type { Context } from '../context.ts'
import { openImages } from '../images.ts'
import { createPod, fillPod, readPrepareFlags, saveUUID } from '../new-pod.ts'
import type { Invocation } from '../parse/invocation.ts'
import { checkNetFlags, readStartFlags } from '../runtime-flags.ts'
import { discardPod, startOrPlan } from '../start.ts'
import { rktVersion } from '../version.ts'

/** Makes a pod without apps and becomes it. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  return await failingWithOne(() => become(context, invocation))
}

async function become(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  takeNone(invocation)
  const start = readStartFlags(flags, context)
  checkNetFlags(flags, start)
  const prepare = await readPrepareFlags(flags, context)
  if (prepare.isolation.kind !== 'ns') {
    throw new RktError('unsupported', 'cannot make a pod for changes: apps can be added to running pods with isolation "ns" only', { hint: '--isolation=ns' })
  }
  const manifest = buildSandboxManifest({ acVersion: rktVersion, ports: flags.list('port').map(parseSandboxPortFlag), ...readPodAnnotations(flags) })
  warmCgroups()
  using pod = createPod(context)
  const dryRun = flags.bool('dry-run')
  try {
    if (!dryRun) saveUUID(context, flags, pod)
    await fillPod(context, pod, { manifest, images: [], place: openImages(context, { pullPolicy: 'never' }), ...prepare })
    pod.toRun()
    await startOrPlan(context, pod, { flags: start, dryRun })
  } catch (error) {
    await discardPod(context, pod)
    throw error
  }
  await discardPod(context, pod)
  return 0
}
