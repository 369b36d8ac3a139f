import { quote, RktError, silentLog, type ImageID, type Log } from '../base/index.ts'
import { formatName, parseReference } from '../fetch/index.ts'
import type { ImageManifest } from '../spec/index.ts'
import { checkFormat, makeDirectories } from './directories.ts'
import { imageByID, imageByName, isImageID, resolveID, type NameQuery } from './find.ts'
import { layoutOf, treePath, type Layout } from './layout.ts'
import { readManifest, readManifestBytes } from './manifest.ts'
import type { ImageRecord } from './record.ts'
import { readRecords, touchRecord, usableRecords, type RecordReading } from './records.ts'
import { removeImage } from './remove.ts'
import { isRendered } from './tree.ts'
import { layerTreeID, type TreeID } from './tree-id.ts'

export interface OpenStoreOptions {
  /** Whether missing directories are made; without it an absent store is an empty one. */
  readonly create: boolean
  readonly log?: Log
}

/** The images of one data directory. Nothing is kept in memory: several processes work on the same store. */
export interface Store {
  readonly layout: Layout
  readonly log: Log
  /** Whether images are unpacked when they are imported: only root can. */
  readonly renders: boolean
  /** Usable images; damaged records are told to the log. */
  records(): ImageRecord[]
  /** Every record with its last use, also the damaged ones. */
  readings(): RecordReading[]
  /** @throws RktError `not-found`, `corrupted`. */
  record(id: ImageID): ImageRecord
  /**
   * A stored image by ID prefix or by name and labels.
   *
   * @throws RktError `not-found`, `ambiguous`, `invalid-reference`, `corrupted`.
   */
  find(text: string, platform?: NameQuery['platform']): ImageRecord
  /**
   * The ID behind the same text, also of an image whose record is damaged: for its removal.
   *
   * @throws RktError as `find`.
   */
  resolve(text: string): ImageID
  /** Marks the image as used now. */
  touch(id: ImageID, now: Date): void
  /** Removes the record, then the blob; a rendered tree stays until it is collected. */
  remove(id: ImageID, options: { readonly signal: AbortSignal }): Promise<void>
  manifest(record: ImageRecord, options?: { readonly signal?: AbortSignal }): Promise<ImageManifest>
  /** The manifest's bytes as they are in the image. */
  manifestBytes(record: ImageRecord, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>
  treePath(id: TreeID): string
  isRendered(id: TreeID): boolean
  /** Bytes on disk: the blobs, and the trees while they are rendered. */
  sizes(record: ImageRecord): { readonly blobBytes: number; readonly treeBytes: number }
}

/**
 * Opens the store below a data directory.
 *
 * @throws RktError `unsupported` for a data directory of another format, `io`.
 */
export function openStore(dataDir: string, options: OpenStoreOptions): Store {
  const layout = layoutOf(dataDir)
  const log = options.log ?? silentLog
  if (options.create) makeDirectories(layout)
  else checkFormat(layout, { create: false })
  return {
    layout,
    log,
    renders: process.geteuid?.() === 0,
    records: () => usableRecords(readRecords(layout), log),
    readings: () => readRecords(layout),
    record: (id) => imageByID(layout, id),
    find: (text, platform) => find(text, { layout, log, platform }),
    resolve: (text) => (isImageID(text) ? resolveID(layout, text) : find(text, { layout, log, platform: undefined }).id),
    touch: (id, now) => touchRecord(layout, id, now),
    remove: (id, { signal }) => removeImage(layout, id, signal),
    manifest: async (record, { signal } = {}) =>
      record.kind === 'aci' ? await readManifest(layout, record, signal) : (await import('./oci/manifest.ts')).readConverted(layout, record, log),
    manifestBytes: async (record, { signal } = {}) =>
      record.kind === 'aci' ? await readManifestBytes(layout, record, signal) : (await import('./oci/manifest.ts')).readOciManifestBytes(layout, record),
    treePath: (id) => treePath(layout, id),
    isRendered: (id) => isRendered(layout, id),
    sizes: (record) => ({ blobBytes: record.blobBytes, treeBytes: treeBytes(layout, record) }),
  }
}

function treeBytes(layout: Layout, record: ImageRecord): number {
  if (record.kind === 'aci') return isRendered(layout, record.treeID) ? record.unpackedBytes : 0
  const rendered = record.layers.filter(({ diffID }) => isRendered(layout, layerTreeID(diffID)))
  return rendered.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0)
}

interface Place {
  readonly layout: Layout
  readonly log: Log
  readonly platform: NameQuery['platform']
}

function find(text: string, { layout, log, platform }: Place): ImageRecord {
  if (isImageID(text)) return imageByID(layout, resolveID(layout, text))
  const reference = parseReference(text, { cwd: '/' })
  if (reference.kind !== 'name') {
    throw new RktError('invalid-reference', `cannot use ${quote(text)}: it does not name a stored image; expected an image ID or a name`)
  }
  const record = imageByName(layout, { ...reference, log, ...(platform === undefined ? {} : { platform }) })
  if (record === undefined) throw new RktError('not-found', `cannot find image ${quote(formatName(reference.name, reference.labels))} in the store`)
  return record
}
