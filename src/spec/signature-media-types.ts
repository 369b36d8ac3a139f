/** Media and artifact types of what vouches for an image. */
export const signatureMediaTypes = {
  /** A detached OpenPGP signature over the bytes of the subject. SPEC: RFC 3156. */
  detached: 'application/pgp-signature',
  /** The payload of cosign's signatures, whose signature is an annotation. */
  cosignPayload: 'application/vnd.dev.cosign.simplesigning.v1+json',
  /** cosign's signatures as a referrer. */
  cosignArtifact: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  /** A Sigstore bundle; versions differ in the number alone. */
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const

/** Whether a media or artifact type is that of a Sigstore bundle. */
export function isBundleType(mediaType: string): boolean {
  return /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[1-9][0-9]?\+json|\+json;version=0\.[1-9][0-9]?)$/.test(mediaType)
}
