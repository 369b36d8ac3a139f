import { errorText, RktError } from '../../base/index.ts'
import { openPods, readManifest, type Pod } from '../../pod/index.ts'
import { podManifestToJson, type PodManifest } from '../../spec/index.ts'
import { takeOne, uuidFromFile } from '../arguments.ts'
import type { Context } from '../context.ts'
import { findPod } from '../find-pod.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Prints the manifest of a pod. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const text = uuidFromFile(context, invocation) ?? takeOne(invocation, 'pod UUID')
  using pod = findPod(openPods(context.dataDir), text)
  const json = podManifestToJson(manifestOf(pod))
  context.out(JSON.stringify(json, undefined, invocation.flags.bool('pretty-print') ? '\t' : undefined))
  return 0
}

/** @throws RktError `unprepared` for a pod whose preparation did not come to its end. */
function manifestOf(pod: Pod): PodManifest {
  try {
    return readManifest(pod)
  } catch (cause) {
    throw new RktError('unprepared', `cannot read manifest of pod "${pod.uuid}": ${errorText(cause)}`, { cause })
  }
}
