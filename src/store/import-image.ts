import { digestParts, parseDigest, type Digest, type ImageID, type Log, type ReceivedBlob, type Unverified } from '../base/index.ts'
import type { OnProgress } from '../fetch/index.ts'
import { readImageManifest, valueOf, type ACIdentifier, type Label } from '../spec/index.ts'
import { authorize, checkSignature, waive, type Keystore, type NameSource, type Signed, type Waived } from '../trust/index.ts'
import { isUntouched, openBlob } from './blob.ts'
import { checkExpectation, isComposed, type Expectation } from './check-manifest.ts'
import { commitImage } from './commit.ts'
import { takeLock } from './locks.ts'
import { manifestDigestOf } from './manifest.ts'
import type { AciRecord } from './record.ts'
import { readRecordsWith } from './records.ts'
import type { Scratch } from './scratch.ts'
import type { ImageSource } from './source.ts'
import type { Store } from './store.ts'
import { treeIDOf } from './tree-id.ts'
import { isRendered, unpackFresh, type FreshTree } from './tree.ts'
import { unpackAci } from './unpack.ts'

export interface ImportOptions {
  /** Where the blob lies; taken over. */
  readonly scratch: Scratch
  /** Undefined only with `--insecure-options=image`: then nothing vouches for the image, and its verdict says so. */
  readonly signature: Uint8Array | undefined
  readonly keystore: Keystore
  /** What the image must call itself, when the user asked for a name. */
  readonly expect: Expectation | undefined
  readonly source: ImageSource
  /** The image as the user knows it, for messages. */
  readonly object: string
  readonly now: Date
  readonly signal: AbortSignal
  readonly log: Log
  readonly onProgress?: OnProgress
}

/**
 * From received bytes to a stored image, in the only order that exists: is the signature good? — only now unpack and parse — is the
 * signer trusted for this very name? — store. A crash leaves nothing but scratch.
 *
 * @throws RktError of the question that was answered with no.
 */
export async function importImage(store: Store, blob: Unverified<ReceivedBlob>, options: ImportOptions): Promise<AciRecord> {
  const { layout } = store
  const { scratch, signature, keystore, expect, now, signal } = options
  const checked = await check(blob, options)
  const digest = parseDigest(`sha512:${Buffer.from(checked.value.digests.sha512).toString('hex')}`)
  using _lock = await takeLock(layout, { kind: 'blob', hex: digestParts(digest).hex }, signal)
  const known = knownContent(store, digest)
  if (known === undefined) options.onProgress?.({ phase: 'unpack', doneBytes: 0, totalBytes: undefined })
  const content = known ?? (await unpack(store, checked, options))
  if (expect !== undefined) checkExpectation(content, expect)
  const nameSource: NameSource = expect === undefined ? 'self-declared' : 'requested'
  const version = valueOf(content.labels, 'version')
  const verified = authorize(checked, { name: content.name, nameSource, version, keystore, now })
  const { fresh, blob: presence, ...facts } = content
  return await commitImage(layout, verified, {
    scratch,
    signature,
    record: {
      version: 1,
      kind: 'aci',
      ...facts,
      blob: digest,
      blobBytes: verified.value.sizeBytes,
      importedAtMs: now.getTime(),
      treeID: treeIDOf([content.id]),
      source: options.source,
    },
    blob: presence,
    fresh,
    signal,
  })
}

/** What is inside an image, as its record keeps it. */
interface Content {
  readonly id: ImageID
  readonly name: ACIdentifier
  readonly labels: readonly Label[]
  readonly unpackedBytes: number
  readonly manifestDigest: Digest
  readonly layers: readonly ImageID[] | undefined
  readonly treeHash: string | undefined
  readonly blob: 'new' | 'stored'
  readonly fresh: FreshTree | undefined
}

async function check(blob: Unverified<ReceivedBlob>, options: ImportOptions): Promise<Signed<ReceivedBlob> | Waived<ReceivedBlob>> {
  const { signature, keystore, now, log, object, expect } = options
  if (signature === undefined) return waive(blob, { reason: '--insecure-options=image', now })
  const signed = await checkSignature(blob, signature, keystore, { now, object, ...(expect === undefined ? {} : { name: expect.name }) })
  log.debug('image', 'signature verified:')
  for (const identity of signed.signers.flatMap((signer) => signer.identities)) log.debug('image', `  ${identity}`)
  return signed
}

/** The content of these very bytes, when they are stored already and nothing of them is missing. */
function knownContent(store: Store, digest: Digest): Content | undefined {
  for (const reading of readRecordsWith(store.layout, digest)) {
    if (reading.kind !== 'image' || reading.record.kind !== 'aci' || reading.record.blob !== digest) continue
    const { id, name, labels, unpackedBytes, manifestDigest, treeHash, treeID } = reading.record
    if (reading.record.layers !== undefined) return undefined
    if (store.renders && !isRendered(store.layout, treeID)) return undefined
    const blob = isUntouched(store.layout, reading.record) ? 'stored' : 'new'
    return { id, name, labels, unpackedBytes, manifestDigest, layers: undefined, treeHash, blob, fresh: undefined }
  }
  return undefined
}

/**
 * Unpacks the checked bytes. The file is held open and named by descriptor: what is unpacked is what was hashed, even where others may
 * write to the directory.
 */
async function unpack(store: Store, { value }: Signed<ReceivedBlob> | Waived<ReceivedBlob>, options: ImportOptions): Promise<Content> {
  const { scratch, signal } = options
  using blob = openBlob(value.path)
  if (blob === undefined) throw new Error('the received blob left the scratch directory')
  const fresh = store.renders ? await unpackFresh(blob.path, { scratch, signal }) : undefined
  const unpacked = fresh?.unpacked ?? (await unpackAci({ blobPath: blob.path, signal }))
  const manifest = readImageManifest(unpacked.manifest)
  const composed = isComposed(manifest)
  return {
    id: unpacked.imageID,
    name: manifest.name,
    labels: manifest.labels,
    unpackedBytes: unpacked.unpackedBytes,
    manifestDigest: manifestDigestOf(unpacked.manifest),
    layers: composed ? [] : undefined,
    // Of an image with dependencies only the rendered whole is a tree.
    treeHash: composed ? undefined : unpacked.treeHash,
    blob: 'new',
    fresh: composed ? undefined : fresh,
  }
}
