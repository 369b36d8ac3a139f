import { RktError, type ImageID } from '../../base/index.ts'
import { imageManifestToJson } from '../../spec/index.ts'
import type { ImageRecord, Store } from '../../store/index.ts'
import type { KeyValue } from '../messages/index.ts'
import { keyValues } from './pods.ts'

/** What of an image is in its manifest alone. */
export interface ManifestFacts {
  readonly bytes: Uint8Array
  readonly annotations: readonly KeyValue[]
}

/** Bytes of manifests that are kept. */
const keptBytes = 67_108_864

/**
 * Manifests of stored images, read once: whoever may not look into rendered trees gets one only by unpacking the whole image. One at a
 * time, whatever the number of clients.
 */
export class Manifests {
  readonly #kept = new Map<ImageID, ManifestFacts>()
  #bytes = 0
  #work: Promise<unknown> = Promise.resolve()

  /** @throws RktError `corrupted`, `io`. */
  async of(store: Store, record: ImageRecord, signal: AbortSignal): Promise<ManifestFacts> {
    const next = this.#work.then(async () => this.#kept.get(record.id) ?? this.#keep(record.id, await read(store, record, signal)))
    this.#work = next.catch(() => undefined)
    return await next
  }

  #keep(id: ImageID, facts: ManifestFacts): ManifestFacts {
    this.#kept.set(id, facts)
    this.#bytes += facts.bytes.length
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= keptBytes) break
      this.#kept.delete(oldest)
      this.#bytes -= bytes.length
    }
    return facts
  }
}

async function read(store: Store, record: ImageRecord, signal: AbortSignal): Promise<ManifestFacts> {
  if (signal.aborted) throw new RktError('cancelled', 'the client is gone')
  const manifest = await store.manifest(record, { signal })
  // Of an OCI image, what it was converted to: clients of this interface read manifests of appc.
  const bytes = record.kind === 'aci' ? await store.manifestBytes(record, { signal }) : Buffer.from(JSON.stringify(imageManifestToJson(manifest)))
  return { bytes, annotations: keyValues(manifest.annotations) }
}
