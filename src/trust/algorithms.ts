/** A hash of `node:crypto` that signatures may use. */
export type HashName = 'sha256' | 'sha384' | 'sha512'

/** SPEC: RFC 9580 section 9.5. Only these three are strong enough and hashed while bytes arrive. */
const acceptedHashes: ReadonlyMap<number, HashName> = new Map([
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
])

const hashNames: ReadonlyMap<number, string> = new Map([
  [1, 'MD5'],
  [2, 'SHA-1'],
  [3, 'RIPEMD-160'],
  [8, 'SHA-256'],
  [9, 'SHA-384'],
  [10, 'SHA-512'],
  [11, 'SHA-224'],
  [12, 'SHA3-256'],
  [14, 'SHA3-512'],
])

/** SPEC: RFC 9580 section 9.1. */
const publicKeyNames: ReadonlyMap<number, string> = new Map([
  [1, 'RSA'],
  [2, 'RSA (encrypt only)'],
  [3, 'RSA (sign only)'],
  [16, 'ElGamal'],
  [17, 'DSA'],
  [18, 'ECDH'],
  [19, 'ECDSA'],
  [20, 'ElGamal'],
  [22, 'EdDSA'],
  [25, 'X25519'],
  [26, 'X448'],
  [27, 'Ed25519'],
  [28, 'Ed448'],
])

/** Algorithms with which an image may be signed: RSA, ECDSA, and Ed25519 in its old and new form. */
const acceptedSigningAlgorithms: ReadonlySet<number> = new Set([1, 3, 19, 22, 27])

/** The hash with this OpenPGP number, or undefined when signatures with it are refused. */
export function acceptedHash(id: number): HashName | undefined {
  return acceptedHashes.get(id)
}

/** Whether an image may be signed with this public-key algorithm. */
export function isAcceptedSigningAlgorithm(id: number): boolean {
  return acceptedSigningAlgorithms.has(id)
}

/** Name of a hash for messages. */
export function hashText(id: number): string {
  return hashNames.get(id) ?? `hash algorithm ${id}`
}

/** Name of a public-key algorithm for messages. */
export function publicKeyText(id: number): string {
  return publicKeyNames.get(id) ?? `public-key algorithm ${id}`
}
