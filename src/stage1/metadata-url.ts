import { readFileSync } from 'node:fs'
import { isErrno } from '../base/index.ts'
import { type PodNetworks, registerPod } from '../network/index.ts'
import type { Pod, PreparedPod } from '../pod/index.ts'
import { imageManifestToJson, podManifestToJson } from '../spec/index.ts'
import type { RuntimeOptions } from './runtime-options.ts'

/** In the pod directory, for root alone: what programs get that enter the pod. */
export const metadataUrlFile = 'metadata-url'

export interface MetadataOptions {
  readonly runtime: Pick<RuntimeOptions, 'net'>
  readonly connected: PodNetworks
  readonly signal: AbortSignal
}

/**
 * Registers a pod with the metadata service and gives the URL for its apps, on the host's end of the pod's first network that has one.
 *
 * @throws RktError `network`.
 */
export async function metadataUrl({ uuid, manifest, apps }: PreparedPod, { runtime, connected, signal }: MetadataOptions): Promise<string> {
  const gateway = connected.interfaces.find(({ hostIP }) => hostIP !== '')?.hostIP
  return await registerPod({
    uuid,
    manifest: JSON.stringify(podManifestToJson(manifest)),
    images: apps.map(({ name, imageManifest }) => ({ app: name, manifest: JSON.stringify(imageManifestToJson(imageManifest)) })),
    hostIP: runtime.net.kind === 'host' || gateway === undefined ? '127.0.0.1' : gateway,
    signal,
  })
}

/** The URL that a pod's apps were given; undefined for a pod that did not register. */
export function readMetadataUrl(pod: Pod): string | undefined {
  try {
    return readFileSync(pod.inside(metadataUrlFile), 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
