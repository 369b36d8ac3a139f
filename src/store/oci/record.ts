import { parseDigest, RktError, type Digest } from '../../base/index.ts'
import { countField, objectField, optionalText, textField, type Fields } from '../fields.ts'
import { parseACIdentifier } from '../../spec/index.ts'
import { parseVerdict } from '../../trust/index.ts'
import { parseLabels } from '../labels-field.ts'
import type { CommonRecord } from '../record.ts'
import { parseTreeID, type TreeID } from '../tree-id.ts'

/** A blob that an image is made of. */
export interface StoredBlob {
  readonly digest: Digest
  readonly bytes: number
}

/** A layer of a stored image: its blob, and the tree that this unpacks to. */
export interface StoredLayer extends StoredBlob {
  /** Digest of the uncompressed layer, as the config says. */
  readonly diffID: Digest
  /** Checksum over its tree; undefined when nobody has rendered it. */
  readonly treeHash: string | undefined
  readonly unpackedBytes: number
}

/** What one document of the way from the reference to the image is: an index, or at the end the manifest. */
export interface StoredDocument extends StoredBlob {
  readonly mediaType: string
}

/** One name by which an image was fetched, and who vouched for it under this name. */
export type OciName = Pick<CommonRecord, 'name' | 'labels' | 'verdict'> & {
  readonly source: OciImageSource
  /** The blob with all of which the verdict can be made again; undefined for an image that was let in without a signature. */
  readonly evidence: StoredBlob | undefined
}

/** An OCI image; all of its blobs are kept bit for bit. */
export interface OciRecord extends CommonRecord {
  readonly kind: 'oci'
  /** Where the image came from, in full: `docker://docker.io/library/alpine:3.18`, `oci:/DIR:REF`. */
  readonly source: OciImageSource
  readonly evidence: StoredBlob | undefined
  /** Other names of the same image: tags that lead to it, and other repositories. */
  readonly also: readonly OciName[]
  /** The documents through which the image was found, the manifest last: its digest is the alias of the image. */
  readonly documents: readonly StoredDocument[]
  readonly config: StoredBlob
  /** The lowest first. */
  readonly layers: readonly StoredLayer[]
  /** What an app's root is put together from, the topmost first; empty until the layers were rendered. */
  readonly trees: readonly TreeID[]
}

export interface OciImageSource {
  readonly kind: 'oci'
  readonly reference: string
}

/** The digest of the manifest, by which other tools know the image. */
export function aliasOf({ documents }: Pick<OciRecord, 'documents'>): Digest {
  return manifestOf({ documents }).digest
}

export function manifestOf({ documents }: Pick<OciRecord, 'documents'>): StoredDocument {
  const last = documents.at(-1)
  if (last === undefined) throw new Error('a record has a manifest')
  return last
}

/** The names of an image, that of its last fetch first. */
export function namesOf({ name, labels, verdict, source, evidence, also }: OciRecord): readonly OciName[] {
  return [{ name, labels, verdict, source, evidence }, ...also]
}

/** The record as it is under one of its names. */
export function underName(record: OciRecord, chosen: OciName): OciRecord {
  const { name, labels, verdict, source, evidence } = chosen
  return { ...record, name, labels, verdict, source, evidence, also: namesOf(record).filter((other) => !isSameName(other, chosen)) }
}

/** Whether two names are the same to a user: by name and all labels. */
export function isSameName(a: Pick<OciName, 'name' | 'labels'>, b: Pick<OciName, 'name' | 'labels'>): boolean {
  const text = ({ labels }: Pick<OciName, 'labels'>): string => JSON.stringify(labels.map(({ name, value }) => [name, value]).sort())
  return a.name === b.name && text(a) === text(b)
}

/** Every blob that an image needs, each digest once. */
export function blobsOf(record: OciRecord): readonly StoredBlob[] {
  const { documents, config, layers } = record
  const evidence = namesOf(record).flatMap((name) => name.evidence ?? [])
  return [...new Map([...documents, config, ...layers, ...evidence].map((blob) => [blob.digest, blob])).values()]
}

/** The fields of an OCI image in its record. @throws RktError `corrupted`. */
export function readOciFields(fields: Fields, common: CommonRecord): OciRecord {
  const documents = list(fields, 'documents').map((json): StoredDocument => {
    const document = objectField(json, 'document')
    return { ...readBlob(document), mediaType: textField(document, 'mediaType') }
  })
  const layers = list(fields, 'layers').map((json): StoredLayer => {
    const layer = objectField(json, 'layer')
    return {
      ...readBlob(layer),
      diffID: parseDigest(textField(layer, 'diffID')),
      treeHash: optionalText(layer, 'treeHash'),
      unpackedBytes: countField(layer, 'unpackedBytes'),
    }
  })
  const also = list(fields, 'also').map((json): OciName => {
    const other = objectField(json, 'name')
    return {
      name: parseACIdentifier(textField(other, 'name')),
      labels: parseLabels(other['labels']),
      verdict: parseVerdict(other['verdict']),
      source: readSource(other),
      evidence: readEvidence(other),
    }
  })
  if (documents.length === 0 || layers.length === 0) throw new RktError('corrupted', 'expected a document and a layer')
  return {
    ...common,
    kind: 'oci',
    source: readSource(fields),
    evidence: readEvidence(fields),
    also,
    documents,
    config: readBlob(objectField(fields['config'], 'config')),
    layers,
    trees: list(fields, 'trees').map((id) => parseTreeID(typeof id === 'string' ? id : '')),
  }
}

function readSource(fields: Fields): OciImageSource {
  const source = objectField(fields['source'], 'source')
  if (source['kind'] !== 'oci') throw new RktError('corrupted', 'expected "source.kind" to be "oci"')
  return { kind: 'oci', reference: textField(source, 'reference') }
}

function readEvidence(fields: Fields): StoredBlob | undefined {
  return fields['evidence'] === undefined ? undefined : readBlob(objectField(fields['evidence'], 'evidence'))
}

function readBlob(fields: Fields): StoredBlob {
  return { digest: parseDigest(textField(fields, 'digest')), bytes: countField(fields, 'bytes') }
}

function list(fields: Fields, key: string): readonly unknown[] {
  const value = fields[key]
  if (!Array.isArray(value)) throw new RktError('corrupted', `expected "${key}" as a list`)
  return value
}
