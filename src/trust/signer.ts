import type { TrustedKey } from './keystore.ts'

/** One good signature and the stored key that vouches for it. */
export interface Signer {
  /** The key or subkey that signed: 40 lower-case hexadecimal digits. */
  readonly fingerprint: string
  readonly key: TrustedKey
  readonly identities: readonly string[]
  readonly signedAt: Date
  /** Earliest end of the signature, the key, or the subkey; Infinity when nothing ends. */
  readonly expiresAtMs: number
}
