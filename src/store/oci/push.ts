import { limits, quote, RktError } from '../../base/index.ts'
import { parseDockerReference, type OciDescriptor, type OciTarget } from '../../spec/index.ts'
import type { ImageRecord } from '../record.ts'
import type { Store } from '../store.ts'
import { openBlobOf } from './blobs.ts'
import { readOciImage, readOciManifestBytes } from './manifest.ts'
import { manifestOf, namesOf, type OciRecord } from './record.ts'

export interface PushImageOptions {
  readonly target: OciTarget
  /** Under which the manifest is found, besides its digest. */
  readonly tag: string | undefined
  /** The registry that is written to: what came from another repository of it need not be sent. */
  readonly host: string | undefined
  readonly signal: AbortSignal
}

/**
 * Writes a stored OCI image to a registry or layout, bit for bit: config and layers that are not there yet, several at a time, and the
 * manifest last. Of an index only the image of this machine is stored, so that is what is written.
 *
 * @throws RktError `unsupported` for an ACI, `corrupted` when the store's bytes are not the image any more, and of sending.
 */
export async function pushImage({ layout }: Store, record: ImageRecord, { target, tag, host, signal }: PushImageOptions): Promise<OciDescriptor> {
  if (record.kind === 'aci') {
    throw new RktError('unsupported', `cannot push image ${quote(record.name)}: it is an ACI; expected an OCI image`, { hint: 'ACIs are published as files: rkt image export' })
  }
  const { manifest } = readOciImage(layout, record)
  const queue = new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values()
  const mountFrom = repositoryAt(record, host)
  const send = async (): Promise<void> => {
    for (const blob of queue) {
      signal.throwIfAborted()
      using open = openBlobOf(layout, record, blob)
      await target.putFile(blob, open.path, mountFrom === undefined ? {} : { mountFrom })
    }
  }
  await Promise.all(Array.from({ length: limits.parallelBlobs }, send))
  return await target.putManifest(readOciManifestBytes(layout, record), { mediaType: manifestOf(record).mediaType, ...(tag === undefined ? {} : { tag }) })
}

/** The repository of a registry from which the image was fetched. */
function repositoryAt(record: OciRecord, host: string | undefined): string | undefined {
  const prefix = `docker://${host ?? ''}/`
  const from = namesOf(record).map(({ source }) => source.reference).find((reference) => host !== undefined && reference.startsWith(prefix))
  return from === undefined ? undefined : parseDockerReference(from.slice('docker://'.length)).repository
}
