import type { Digest } from '../base/index.ts'
import type { OciDescriptor } from './oci-descriptor.ts'
import type { OciDocument } from './oci-document.ts'

/** A signature of the registry's signatures extension: simple signing, kept by name beside the image. */
export interface ExtensionSignature {
  readonly name: string
  readonly content: Uint8Array
}

/**
 * What lies beside an image: whoever judges signatures asks this, whatever kind the source is. Answers are bounded in number and
 * size, and their digests and sizes were verified; nothing else of them is trusted.
 */
export interface OciArtifacts {
  /** The manifest of a tag or digest; undefined when there is none. */
  manifest(tagOrDigest: string): Promise<OciDocument | undefined>
  /** Manifests whose subject is `digest`, by the referrers API or its tag; filtered when a type is given. */
  referrers(digest: Digest, artifactType?: string): Promise<readonly OciDescriptor[]>
  /** A whole small blob, at most `limits.artifactBytes`; undefined when there is none. */
  smallBlob(descriptor: Pick<OciDescriptor, 'digest' | 'size'>): Promise<Uint8Array | undefined>
  /** Signatures that a registry keeps by its own extension; none where it has no such extension. */
  extensionSignatures(digest: Digest): Promise<readonly ExtensionSignature[]>
}

/** Where an image and what belongs to it can be written. */
export interface OciTarget extends OciArtifacts {
  /** Writes a small blob unless it is there, and gives its descriptor. */
  putBytes(bytes: Uint8Array, mediaType: string): Promise<OciDescriptor>
  /** Writes a blob from a file unless it is there; a registry may take it over from another repository of its own. */
  putFile(descriptor: OciDescriptor, path: string, options?: { readonly mountFrom?: string }): Promise<void>
  /** Writes a manifest under its digest, and under a tag when one is given; a subject's list of referrers knows it afterwards. */
  putManifest(bytes: Uint8Array, options: { readonly mediaType: string; readonly tag?: string }): Promise<OciDescriptor>
}
