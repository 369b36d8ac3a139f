import { setImmediate as breathe } from 'node:timers/promises'
import { errorText, quote, RktError, type ImageID, type Log } from '../../base/index.ts'
import { valueOf, type Label } from '../../spec/index.ts'
import { namesOf, openStore, type ImageRecord, type Store } from '../../store/index.ts'
import type { ImageFilter, ImageMessage, ListRequest } from '../messages/index.ts'
import { appcFormat, formatOf, type ImageFormat } from './image-format.ts'
import { matchesImage } from './image-filter.ts'
import { Manifests } from './manifests.ts'

export interface ImageSourceOptions {
  readonly dataDir: string
  readonly appcVersion: string
  readonly log: Log
}

/** The images of one data directory, as clients see them. */
export class Images {
  readonly #options: ImageSourceOptions
  readonly #manifests = new Manifests()
  readonly #formats = new Map<string, ImageFormat>()

  constructor(options: ImageSourceOptions) {
    this.#options = options
  }

  /** Images that satisfy any of the filters; one with several names comes once under each. */
  async list({ filters, detail }: ListRequest<ImageFilter>, signal: AbortSignal): Promise<readonly ImageMessage[]> {
    const store = this.#open()
    const found: ImageMessage[] = []
    for (const record of store.records()) {
      await breathe()
      signal.throwIfAborted()
      try {
        for (const image of await this.#describe(store, record, signal)) {
          if (filters.length > 0 && !filters.some((filter) => matchesImage(image, filter))) continue
          found.push(detail ? image : { ...image, manifest: new Uint8Array() })
        }
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof RktError)) throw error
        this.#options.log.debug('api', errorText(error))
      }
    }
    return found
  }

  /**
   * The image with this ID, or the beginning of one.
   *
   * @throws RktError `invalid-reference`, `not-found`, `ambiguous`.
   */
  async inspect(id: string, signal: AbortSignal): Promise<ImageMessage> {
    // ATTACK: a text that is no ID could be looked for as a file.
    if (!/^sha(512-[0-9a-f]{0,128}|256:[0-9a-f]{0,64})$/.test(id)) throw new RktError('invalid-reference', `cannot use image ID ${quote(id.slice(0, 200))}: expected sha512- or sha256: and digits`)
    const store = this.#open()
    const [image] = await this.#describe(store, store.find(id), signal)
    if (image === undefined) throw new Error('an image has a name')
    return image
  }

  /** The format of the image of an app, which may have been removed since. */
  formatOf(id: ImageID): ImageFormat {
    const known = this.#formats.get(id)
    if (known !== undefined) return known
    try {
      const format = formatOf(this.#open().record(id), this.#options.appcVersion)
      this.#remember(id, format)
      return format
    } catch (error) {
      if (!(error instanceof RktError)) throw error
      return appcFormat(this.#options.appcVersion)
    }
  }

  #remember(id: string, format: ImageFormat): void {
    if (this.#formats.size >= 10_000) this.#formats.clear()
    this.#formats.set(id, format)
  }

  #open(): Store {
    return openStore(this.#options.dataDir, { create: false, log: this.#options.log })
  }

  async #describe(store: Store, record: ImageRecord, signal: AbortSignal): Promise<readonly ImageMessage[]> {
    const { bytes, annotations } = await this.#manifests.of(store, record, signal)
    const { blobBytes, treeBytes } = store.sizes(record)
    const names: readonly { readonly name: string; readonly labels: readonly Label[] }[] = record.kind === 'oci' ? namesOf(record) : [record]
    return names.map(({ name, labels }) => ({
      ...formatOf(record, this.#options.appcVersion),
      id: record.id,
      name,
      version: valueOf(labels, 'version') ?? 'latest',
      importedAtMs: record.importedAtMs,
      manifest: bytes,
      sizeBytes: blobBytes + treeBytes,
      annotations,
      labels: labels.map((label) => ({ key: label.name, value: label.value })),
    }))
  }
}
