import { verify, type KeyObject } from 'node:crypto'

/**
 * Whether `signature` over `bytes` was made with this key: ECDSA in DER form and RSA with PKCS #1 v1.5, both over SHA-256, or plain
 * Ed25519, as cosign and containers/image make them.
 */
export function verifyWithKey(key: KeyObject, { bytes, signature }: { readonly bytes: Uint8Array; readonly signature: Uint8Array }): boolean {
  try {
    return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key, signature)
  } catch {
    // A signature that cannot even be read is none.
    return false
  }
}

/** Canonical base64 alone; undefined for everything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return text !== '' && bytes.toString('base64') === text ? bytes : undefined
}
