import { limits, RktError, type Digest } from '../../base/index.ts'
import { companionTag, ociMediaTypes, readOciDocument, signatureMediaTypes, type OciDescriptor, type OciDocument, type OciTarget } from '../../spec/index.ts'
import { signPredicateType } from '../sigstore/statement.ts'
import type { SigstoreSignature } from './make-signatures.ts'

const signatureAnnotation = 'dev.cosignproject.cosign/signature'

/**
 * Puts a signature beside an image in both places where readers look: under the tag of cosign, whose other signatures stay, and as a
 * bundle that refers to the manifest.
 *
 * @throws RktError of the target, `limit-exceeded` when the tag has as many signatures as are looked at.
 */
export async function attachSigstoreSignature(target: OciTarget, subject: OciDocument, { payload, signature, bundle }: SigstoreSignature): Promise<void> {
  await addToTag(target, subject.digest, { payload, signature })
  await attachReferrer(target, subject, {
    content: bundle,
    mediaType: signatureMediaTypes.bundle,
    annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': signPredicateType },
  })
}

/** Puts a detached OpenPGP signature beside an image, as a manifest that refers to it. */
export async function attachDetachedSignature(target: OciTarget, subject: OciDocument, signature: Uint8Array): Promise<void> {
  await attachReferrer(target, subject, { content: signature, mediaType: signatureMediaTypes.detached, annotations: {} })
}

interface Referrer {
  readonly content: Uint8Array
  readonly mediaType: string
  readonly annotations: Readonly<Record<string, string>>
}

async function attachReferrer(target: OciTarget, subject: OciDocument, { content, mediaType, annotations }: Referrer): Promise<void> {
  const config = await target.putBytes(Buffer.from('{}'), ociMediaTypes.empty)
  const layer = await target.putBytes(content, mediaType)
  await putJson(target, {
    schemaVersion: 2,
    mediaType: ociMediaTypes.manifest,
    artifactType: mediaType,
    config: short(config),
    layers: [short(layer)],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.byteLength },
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  })
}

interface TagEntry {
  readonly payload: Uint8Array
  readonly signature: string
}

/** SPEC: cosign specs/SIGNATURE_SPEC.md: each signature is a layer of one manifest. */
async function addToTag(target: OciTarget, digest: Digest, { payload, signature }: TagEntry): Promise<void> {
  const tag = `${companionTag(digest)}.sig`
  const before = layersOf(await target.manifest(tag))
  if (before.length >= limits.imageSignatures) throw new RktError('limit-exceeded', `cannot add a signature at ${tag}: it has ${before.length}; expected less than ${limits.imageSignatures}`)
  const layer = await target.putBytes(payload, signatureMediaTypes.cosignPayload)
  const layers = [...before, { ...short(layer), annotations: { [signatureAnnotation]: signature } }]
  const diffIDs = layers.map((one) => one.digest)
  const config = { architecture: '', os: '', config: {}, rootfs: { type: 'layers', diff_ids: diffIDs } }
  await putJson(target, { schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: short(await target.putBytes(Buffer.from(JSON.stringify(config)), ociMediaTypes.config)), layers }, tag)
}

function layersOf(document: OciDocument | undefined): readonly { readonly digest: Digest }[] {
  if (document === undefined) return []
  const manifest = readOciDocument(document.bytes, document.mediaType)
  return manifest.kind === 'manifest' ? manifest.layers.map((layer) => ({ ...short(layer), annotations: layer.annotations })) : []
}

async function putJson(target: OciTarget, json: { readonly mediaType: string; readonly [field: string]: unknown }, tag?: string): Promise<void> {
  await target.putManifest(Buffer.from(JSON.stringify(json)), { mediaType: json.mediaType, ...(tag === undefined ? {} : { tag }) })
}

function short({ mediaType, digest, size }: OciDescriptor): { readonly mediaType: string; readonly digest: Digest; readonly size: number } {
  return { mediaType, digest, size }
}

