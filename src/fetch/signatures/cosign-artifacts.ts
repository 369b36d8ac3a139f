import { limits, type Digest } from '../../base/index.ts'
import { companionTag, readOciDocument, type CosignAnnotations, type OciArtifacts, type OciDescriptor, type OciDocument, type RawSignature } from '../../spec/index.ts'

/** Media types under which cosign keeps signatures. */
export const cosignMediaTypes = {
  payload: 'application/vnd.dev.cosign.simplesigning.v1+json',
  artifact: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const

/** The annotation with the signature itself. */
export const signatureAnnotation = 'dev.cosignproject.cosign/signature'

const bundlePattern = /^application\/vnd\.dev\.sigstore\.bundle(?:\+json;version=0\.[123]|\.v0\.3\+json)$/
const predicateAnnotation = 'dev.sigstore.bundle.predicateType'
const signPredicate = 'https://sigstore.dev/cosign/sign/v1'

/** The tag under which cosign keeps the signatures of a manifest. */
export function signatureTag(digest: Digest): string {
  return `${companionTag(digest)}.sig`
}

/** Signatures under the tag of cosign. */
export async function readSignatureTag(artifacts: OciArtifacts, digest: Digest): Promise<readonly RawSignature[]> {
  const document = await artifacts.manifest(signatureTag(digest))
  return document === undefined ? [] : await readLayers(artifacts, document)
}

/**
 * Signatures among the manifests that refer to this one. Lists of parts, build logs and scans refer to images too, and are not fetched;
 * what a list says of an entry only decides whether it is looked at.
 */
export async function readReferrers(artifacts: OciArtifacts, digest: Digest): Promise<readonly RawSignature[]> {
  const found: RawSignature[] = []
  for (const descriptor of (await artifacts.referrers(digest)).filter(mayBeSignature)) {
    if (found.length >= limits.imageSignatures) break
    const document = await artifacts.manifest(descriptor.digest)
    if (document !== undefined) found.push(...(await readLayers(artifacts, document)))
  }
  return found
}

function mayBeSignature({ artifactType = '', annotations }: OciDescriptor): boolean {
  const predicate = annotations[predicateAnnotation]
  return artifactType === cosignMediaTypes.artifact || (bundlePattern.test(artifactType) && (predicate === undefined || predicate === signPredicate))
}

async function readLayers(artifacts: OciArtifacts, { bytes, mediaType, digest }: OciDocument): Promise<readonly RawSignature[]> {
  const manifest = readOciDocument(bytes, mediaType)
  if (manifest.kind !== 'manifest') return []
  const found: RawSignature[] = []
  for (const layer of manifest.layers.slice(0, limits.imageSignatures)) {
    const place = `${digest}/${layer.digest}`
    const annotations = layer.mediaType === cosignMediaTypes.payload ? cosignAnnotations(layer) : undefined
    if (layer.size > limits.bundleBytes || (annotations === undefined && !bundlePattern.test(layer.mediaType))) continue
    const content = await artifacts.smallBlob(layer)
    if (content === undefined) continue
    found.push(annotations === undefined ? { form: 'bundle', place, bytes: content } : { form: 'cosign', place, payload: content, annotations })
  }
  return found
}

function cosignAnnotations({ annotations }: OciDescriptor): CosignAnnotations | undefined {
  const signature = annotations[signatureAnnotation]
  if (signature === undefined) return undefined
  const [certificate, chain, bundle] = ['certificate', 'chain', 'bundle'].map((name) => annotations[`dev.sigstore.cosign/${name}`])
  return { signature, ...(certificate === undefined ? {} : { certificate }), ...(chain === undefined ? {} : { chain }), ...(bundle === undefined ? {} : { bundle }) }
}
