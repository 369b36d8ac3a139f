import { createHash } from 'node:crypto'
import { parseDigest, parseImageID, parseStrictJson, quote, RktError, type Digest, type ImageID } from '../base/index.ts'
import { parseACIdentifier, type ACIdentifier, type Label } from '../spec/index.ts'
import { parseVerdict, type Verdict } from '../trust/index.ts'
import { countField, objectField, optionalText, textField } from './fields.ts'
import { parseLabels } from './labels-field.ts'
import { readOciFields, type OciRecord } from './oci/record.ts'
import { parseSource, type ImageSource } from './source.ts'
import { parseStamp, type BlobStamp } from './stamp.ts'
import { parseTreeID, type TreeID } from './tree-id.ts'

/** All that is known of a stored image without opening it; one file `cas/images/<id>.json`, written last. */
export type ImageRecord = AciRecord | OciRecord

/** What the records of both formats say. */
export interface CommonRecord {
  readonly version: 1
  readonly id: ImageID
  readonly name: ACIdentifier
  readonly labels: readonly Label[]
  readonly importedAtMs: number
  /** What the image renders to, as pods name it. */
  readonly treeID: TreeID
  readonly unpackedBytes: number
  /** All blobs together. */
  readonly blobBytes: number
  readonly verdict: Verdict
}

/** An ACI. */
export interface AciRecord extends CommonRecord {
  readonly kind: 'aci'
  /** Names the stored blob: the image as it was received. */
  readonly blob: Digest
  /** Tells whether the stored blob was touched since it was last hashed. */
  readonly stamp: BlobStamp
  /** SHA-256 of the image manifest's bytes. */
  readonly manifestDigest: Digest
  /**
   * What the tree is put together from, topmost first, as it was resolved last; empty until then. Undefined for an image without
   * dependencies and white list, whose tree is its own archive.
   */
  readonly layers: readonly ImageID[] | undefined
  /** Checksum over the rendered tree; undefined when nobody has rendered it. */
  readonly treeHash: string | undefined
  readonly source: ImageSource
}

/** The record's file: JSON with a checksum as its last field, so that a flipped bit is noticed. */
export function formatRecord(record: ImageRecord): string {
  return `${JSON.stringify({ ...record, checksum: checksumOf(record) })}\n`
}

/**
 * Reads a record's file; `id` is the one that its name promises.
 *
 * @throws RktError `corrupted` for everything that formatRecord() would not have written.
 */
export function parseRecord(bytes: Uint8Array, id: ImageID): ImageRecord {
  try {
    return readFields(bytes, id)
  } catch (cause) {
    if (!(cause instanceof RktError)) throw cause
    throw new RktError('corrupted', `cannot use image ${quote(id)}: its record is damaged: ${cause.message}`, {
      cause,
      hint: `remove it with rkt image rm ${id} and fetch the image again`,
    })
  }
}

function readFields(bytes: Uint8Array, id: ImageID): ImageRecord {
  const json = parseStrictJson(bytes, { what: 'image record' })
  const { checksum, ...fields } = objectField(json, 'record')
  if (checksum !== checksumOf(fields)) throw fault('checksum does not match')
  const { kind } = fields
  if (fields['version'] !== 1 || (kind !== 'aci' && kind !== 'oci')) throw fault('expected version 1, kind "aci" or "oci"')
  const found = parseImageID(textField(fields, 'id'))
  if (found !== id) throw fault(`it is about ${quote(found)}`)
  const common: CommonRecord = {
    version: 1,
    id,
    name: parseACIdentifier(textField(fields, 'name')),
    labels: parseLabels(fields['labels']),
    blobBytes: countField(fields, 'blobBytes'),
    unpackedBytes: countField(fields, 'unpackedBytes'),
    importedAtMs: countField(fields, 'importedAtMs'),
    treeID: parseTreeID(textField(fields, 'treeID')),
    verdict: parseVerdict(fields['verdict']),
  }
  if (kind === 'oci') return readOciFields(fields, common)
  return {
    ...common,
    kind,
    blob: parseDigest(textField(fields, 'blob')),
    stamp: parseStamp(fields['stamp']),
    manifestDigest: parseDigest(textField(fields, 'manifestDigest')),
    layers: fields['layers'] === undefined ? undefined : parseLayers(fields['layers']),
    treeHash: optionalText(fields, 'treeHash'),
    source: parseSource(fields['source']),
  }
}

function checksumOf(fields: object): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(fields)).digest('hex')}`
}

function parseLayers(json: unknown): ImageID[] {
  if (!Array.isArray(json)) throw fault('expected "layers" as a list')
  return json.map((id: unknown) => {
    if (typeof id !== 'string') throw fault('expected IDs in "layers"')
    return parseImageID(id)
  })
}

function fault(state: string): RktError {
  return new RktError('corrupted', state)
}
