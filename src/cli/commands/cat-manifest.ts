import { openPods, readManifest } from '../../pod/index.ts'
import { podManifestToJson } from '../../spec/index.ts'
import { takeOne, uuidFromFile } from '../arguments.ts'
import type { Context } from '../context.ts'
import { findPod } from '../find-pod.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Prints the manifest of a pod. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const text = uuidFromFile(context, invocation) ?? takeOne(invocation, 'pod UUID')
  using pod = findPod(openPods(context.dataDir), text)
  const json = podManifestToJson(readManifest(pod))
  context.out(JSON.stringify(json, undefined, invocation.flags.bool('pretty-print') ? '\t' : undefined))
  return 0
}
