import type { SignatureKind } from '../spec/index.ts'
import type { TrustedSigner } from './trusted-signer.ts'

/** One good signature and the stored key or identity that vouches for it. */
export interface Signer {
  readonly kind: SignatureKind
  /** The OpenPGP key or subkey that signed: 40 lower-case hexadecimal digits; otherwise the name of the stored key or identity. */
  readonly fingerprint: string
  readonly key: TrustedSigner
  readonly identities: readonly string[]
  /** Undefined for a kind of signature that has no date. */
  readonly signedAt: Date | undefined
  /** Earliest end of the signature, the key, or the subkey; Infinity when nothing ends. */
  readonly expiresAtMs: number
}
