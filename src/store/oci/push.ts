import { limits, quote, RktError } from '../../base/index.ts'
import type { OciDescriptor, OciTarget } from '../../spec/index.ts'
import type { ImageRecord } from '../record.ts'
import type { Store } from '../store.ts'
import { openBlobOf } from './blobs.ts'
import { readOciImage, readOciManifestBytes } from './manifest.ts'
import { manifestOf, type OciRecord } from './record.ts'

export interface PushImageOptions {
  readonly target: OciTarget
  /** Under which the manifest is found, besides its digest. */
  readonly tag: string | undefined
  readonly signal: AbortSignal
}

/**
 * Writes a stored OCI image to a registry or layout, bit for bit: config and layers that are not there yet, several at a time, and the
 * manifest last. Of an index only the image of this machine is stored, so that is what is written.
 *
 * @throws RktError `unsupported` for an ACI, `corrupted` when the store's bytes are not the image any more, and of sending.
 */
export async function pushImage({ layout }: Store, record: ImageRecord, { target, tag, signal }: PushImageOptions): Promise<OciDescriptor> {
  if (record.kind === 'aci') {
    throw new RktError('unsupported', `cannot push image ${quote(record.name)}: it is an ACI; expected an OCI image`, { hint: 'ACIs are published as files: rkt image export' })
  }
  const { manifest } = readOciImage(layout, record)
  const queue = new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values()
  const send = async (): Promise<void> => {
    for (const blob of queue) {
      signal.throwIfAborted()
      await sendBlob(record, { blob, layout, target })
    }
  }
  await Promise.all(Array.from({ length: limits.parallelBlobs }, send))
  return await target.putManifest(readOciManifestBytes(layout, record), { mediaType: manifestOf(record).mediaType, ...(tag === undefined ? {} : { tag }) })
}

async function sendBlob(record: OciRecord, { blob, layout, target }: { readonly blob: OciDescriptor; readonly layout: Store['layout']; readonly target: OciTarget }): Promise<void> {
  using open = openBlobOf(layout, record, blob)
  await target.putFile(blob, open.path)
}
