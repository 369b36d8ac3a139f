import { RktError, type PodUUID } from '../../base/index.ts'
import { openPods, readStatus, takePrepared, type AppStatus, type Pod, type Pods } from '../../pod/index.ts'
import { parseACIdentifier } from '../../spec/index.ts'
import { judgeVerdict, openKeystore, requireIsolation } from '../../trust/index.ts'
import { takeOne } from '../arguments.ts'
import type { Context } from '../context.ts'
import { openImages, type ImagePlace } from '../images.ts'
import type { Invocation } from '../parse/invocation.ts'
import { readStartFlags } from '../runtime-flags.ts'
import { discardPod, startOrPlan } from '../start.ts'

/** Becomes a pod that was prepared before. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const start = readStartFlags(flags, context)
  const pods = openPods(context.dataDir)
  const uuid = pods.resolve(takeOne(invocation, 'pod UUID'))
  await judgeImages(context, pods, uuid)
  if (flags.bool('dry-run')) {
    using prepared = openPrepared(pods, uuid)
    await startOrPlan(context, prepared, { flags: start, dryRun: true })
    return 0
  }
  using pod = takePrepared(pods, uuid)
  try {
    await startOrPlan(context, pod, { flags: start, dryRun: false })
  } catch (error) {
    if (start.removeAtEnd) await discardPod(context, pod)
    throw error
  }
  return 0
}

function openPrepared(pods: Pods, uuid: PodUUID): Pod {
  const pod = pods.openIn('prepared', uuid)
  if (pod === undefined) throw new RktError('wrong-state', `pod "${uuid}" is not prepared`)
  return pod
}

/**
 * Asks again whether the images of a prepared pod may run: a key may have been taken away, or have ended, since. What was let in with
 * `--insecure-options=image` was let in for this pod, and stays so.
 *
 * @throws RktError of trust.
 */
async function judgeImages(context: Context, pods: Pods, uuid: PodUUID): Promise<void> {
  using pod = openPrepared(pods, uuid)
  let place: ImagePlace | undefined
  const { apps, isolation = { kind: 'ns' } } = readStatus(pod)
  const { policies } = openKeystore(context.config)
  for (const app of apps) {
    if (app.imageName !== undefined) requireIsolation(policies, { name: parseACIdentifier(app.imageName), isolation })
    if (stands(app, context)) continue
    place ??= openImages(context, { pullPolicy: 'never' })
    await place.stored(app.imageID)
  }
}

function stands({ name, imageName, signature }: AppStatus, { config, now, insecure }: Context): boolean {
  if (signature === undefined || imageName === undefined) {
    throw new RktError('corrupted', `cannot run app "${name}": nothing tells who vouches for its image`, { hint: 'prepare the pod again' })
  }
  const judging = { name: parseACIdentifier(imageName), keystore: openKeystore(config), now: new Date(now()) }
  // Only an administrator's lock takes back what was let in for this pod.
  return judgeVerdict(signature, { ...judging, insecure: signature.kind === 'waived' ? { image: true } : insecure }) === 'ok'
}
