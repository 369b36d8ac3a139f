/** Kinds of signature, as policies name them. */
export const signatureKinds = ['openpgp', 'simple-signing', 'sigstore-key', 'sigstore-identity'] as const

/**
 * `openpgp`: a detached OpenPGP signature over the file or manifest; `simple-signing`: an OpenPGP message about a manifest;
 * `sigstore-key` and `sigstore-identity`: cosign's forms, made with a known key or with a certificate for an identity.
 */
export type SignatureKind = (typeof signatureKinds)[number]

/** A signature of an OCI image as it was found: bytes that nobody believes yet. */
export type RawSignature =
  /** A detached OpenPGP signature over the bytes of a manifest or index. */
  | { readonly form: 'detached'; readonly place: string; readonly bytes: Uint8Array }
  /** A signed OpenPGP message with the JSON of "simple signing" inside. */
  | { readonly form: 'simple-signing'; readonly place: string; readonly bytes: Uint8Array }
  /** A layer of a `sha256-….sig` manifest: the payload, and annotations of cosign. */
  | { readonly form: 'cosign'; readonly place: string; readonly payload: Uint8Array; readonly annotations: CosignAnnotations }
  /** A Sigstore bundle. */
  | { readonly form: 'bundle'; readonly place: string; readonly bytes: Uint8Array }

/** Annotations of a cosign signature, as text. */
export interface CosignAnnotations {
  /** `dev.cosignproject.cosign/signature`: base64. */
  readonly signature: string
  /** `dev.sigstore.cosign/certificate`: PEM. */
  readonly certificate?: string
  /** `dev.sigstore.cosign/chain`: PEM. */
  readonly chain?: string
  /** `dev.sigstore.cosign/bundle`: JSON of the transparency log's promise. */
  readonly bundle?: string
}

/** The signature in a file of the user: by its first bytes a bundle, a detached OpenPGP signature, or a message. */
export function rawSignature(bytes: Uint8Array, place: string): RawSignature {
  const [first = 0] = bytes
  if (first === 0x7b) return { form: 'bundle', place, bytes }
  // SPEC: RFC 9580 section 4.2: the type of an OpenPGP packet; armour is text, and only detached signatures come in it.
  const tag = (first & 0x40) === 0 ? (first >> 2) & 0x0f : first & 0x3f
  return first < 0x80 || tag === 2 ? { form: 'detached', place, bytes } : { form: 'simple-signing', place, bytes }
}
