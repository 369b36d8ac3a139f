import { isRktError, limits, type Digest, type Log } from '../../../base/index.ts'
import { companionTag, isBundleType, readOciDocument, signatureMediaTypes, type CosignAnnotations, type OciArtifacts, type OciDescriptor, type OciDocument } from '../../../spec/index.ts'
import type { FoundSignatures } from './found.ts'

export interface CompanionsOptions {
  readonly found: FoundSignatures
  readonly log: Log
}

const { detached, cosignPayload } = signatureMediaTypes

/** Signatures under the tag of cosign. */
export async function findTagged(source: OciArtifacts, digest: Digest, options: CompanionsOptions): Promise<void> {
  const tag = `${companionTag(digest)}.sig`
  const tagged = await source.manifest(tag)
  if (tagged !== undefined) await readManifest(source, tagged, { ...options, place: tag })
}

/** Signatures among the manifests that refer to an image. */
export async function findReferrers(source: OciArtifacts, digest: Digest, options: CompanionsOptions): Promise<void> {
  for (const referrer of (await source.referrers(digest)).filter(maySign).slice(0, limits.imageSignatures)) {
    if (options.found.full) return
    const document = await source.manifest(referrer.digest)
    if (document !== undefined) await readManifest(source, { ...document, mediaType: referrer.mediaType }, { ...options, place: `referrer ${referrer.digest}` })
  }
}

/** Attack: somebody who may write beside an image adds things that are not signatures; only what may be one is fetched. */
function maySign({ artifactType }: OciDescriptor): boolean {
  return artifactType === undefined || artifactType === detached || artifactType === cosignPayload || artifactType === signatureMediaTypes.cosignArtifact || isBundleType(artifactType)
}

interface Reading extends CompanionsOptions {
  readonly place: string
}

/** A companion that is not as it should be counts for nothing, and spoils nothing. */
async function readManifest(source: OciArtifacts, { bytes, mediaType }: OciDocument, { found, log, place }: Reading): Promise<void> {
  try {
    const manifest = readOciDocument(bytes, mediaType)
    if (manifest.kind !== 'manifest') return
    for (const layer of manifest.layers) {
      if (found.full) return
      await readLayer(source, layer, { found, log, place })
    }
  } catch (error) {
    if (!isRktError(error, 'invalid-manifest', 'invalid-json', 'limit-exceeded', 'corrupted', 'unsupported')) throw error
    log.debug('image', `passing over ${place}: ${error.message}`)
  }
}

async function readLayer(source: OciArtifacts, layer: OciDescriptor, { found, place }: Reading): Promise<void> {
  const form = layer.mediaType === detached ? 'detached' : layer.mediaType === cosignPayload ? 'cosign' : isBundleType(layer.mediaType) ? 'bundle' : undefined
  const annotations = form === 'cosign' ? cosignAnnotations(layer.annotations) : undefined
  if (form === undefined || layer.size > limits.bundleBytes || (form === 'cosign' && annotations === undefined)) return
  const bytes = await source.smallBlob(layer)
  if (bytes === undefined) return
  if (annotations !== undefined) found.add({ form: 'cosign', place, payload: bytes, annotations })
  else if (form !== 'cosign') found.add({ form, place, bytes })
}

/** SPEC: cosign's SIGNATURE_SPEC.md. */
function cosignAnnotations(given: Readonly<Record<string, string>>): CosignAnnotations | undefined {
  const signature = given['dev.cosignproject.cosign/signature']
  if (signature === undefined) return undefined
  const certificate = given['dev.sigstore.cosign/certificate']
  const chain = given['dev.sigstore.cosign/chain']
  const bundle = given['dev.sigstore.cosign/bundle']
  return {
    signature,
    ...(certificate === undefined ? {} : { certificate }),
    ...(chain === undefined ? {} : { chain }),
    ...(bundle === undefined ? {} : { bundle }),
  }
}
