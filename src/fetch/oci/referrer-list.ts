import { limits, quote, RktError, type Digest } from '../../base/index.ts'
import { ociMediaTypes, readOciDocument, type OciDescriptor, type OciDocument } from '../../spec/index.ts'

/** A manifest that refers to another one, as its own bytes tell. */
export interface Referrer {
  readonly subject: Digest
  /** As a list of referrers names it: with its artifact type and annotations. */
  readonly entry: OciDescriptor
}

/** What a manifest refers to; undefined when it refers to nothing. @throws RktError as `readOciDocument`. */
export function referrerOf(bytes: Uint8Array, descriptor: OciDescriptor): Referrer | undefined {
  const document = readOciDocument(bytes, descriptor.mediaType)
  if (document.subject === undefined) return undefined
  const artifactType = document.artifactType ?? (document.kind === 'manifest' ? document.config.mediaType : undefined)
  const entry = { ...descriptor, ...(artifactType === undefined ? {} : { artifactType }), annotations: document.annotations }
  return { subject: document.subject.digest, entry }
}

/** The index of a referrers tag with one entry more. SPEC: OCI distribution-spec, pushing manifests with subject. */
export function addReferrer(before: OciDocument | undefined, { entry, subject }: Referrer): Uint8Array {
  const read = before === undefined ? undefined : readOciDocument(before.bytes, before.mediaType)
  if (read?.kind === 'manifest') throw new RktError('invalid-manifest', `cannot list a referrer of ${quote(subject)}: its tag names an image; expected an index`)
  const others = (read?.manifests ?? []).filter(({ digest }) => digest !== entry.digest)
  if (others.length >= limits.referrers) throw new RktError('limit-exceeded', `cannot list a referrer of ${quote(subject)}: ${others.length} of them; expected at most ${limits.referrers}`)
  const index = { schemaVersion: 2, mediaType: ociMediaTypes.index, manifests: [...others, entry].map(descriptorToJson) }
  return Buffer.from(JSON.stringify(index))
}

/** A descriptor as documents write it: without what is empty. */
export function descriptorToJson({ mediaType, digest, size, artifactType, platform, annotations }: OciDescriptor): Readonly<Record<string, unknown>> {
  return {
    mediaType,
    digest,
    size,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform: { os: platform.os, architecture: platform.architecture, ...(platform.variant === '' ? {} : { variant: platform.variant }) } }),
    ...(artifactType === undefined ? {} : { artifactType }),
  }
}
