import { createPublicKey, type KeyObject } from 'node:crypto'
import { limits, RktError } from '../../base/index.ts'
import { publicKeyID } from '../signer-id.ts'

/** A public key with which cosign's signatures are checked. */
export interface SigstoreKey {
  /** `sha256-` and the digest of its DER form. */
  readonly id: string
  /** `ECDSA P-256`, `Ed25519`, `RSA 3072`. */
  readonly algorithm: string
  readonly publicKey: KeyObject
}

const pemPattern = /^-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----\s*$/

/** Whether the bytes look like a key in PEM form, of whatever sort. */
export function isPem(bytes: Uint8Array): boolean {
  return /^\s*-----BEGIN [A-Z ]*(?:PUBLIC|PRIVATE) KEY-----/.test(Buffer.from(bytes.subarray(0, 200)).toString('latin1')) && !/^\s*-----BEGIN PGP /.test(Buffer.from(bytes.subarray(0, 200)).toString('latin1'))
}

/**
 * Reads one public key in PEM form (SubjectPublicKeyInfo).
 *
 * @throws RktError `key-invalid` for private keys, other algorithms, RSA below 2048 bits and curves other than P-256; `limit-exceeded`.
 */
export function readSigstoreKey(bytes: Uint8Array, what: string): SigstoreKey {
  if (bytes.byteLength > limits.signatureBytes) throw new RktError('limit-exceeded', `cannot read ${what}: ${bytes.byteLength} bytes; expected at most ${limits.signatureBytes}`)
  const text = Buffer.from(bytes).toString('latin1')
  if (/PRIVATE KEY-----/.test(text)) throw new RktError('key-invalid', `cannot read ${what}: it holds a private key; expected a public key only`)
  const match = pemPattern.exec(text.trimStart())
  if (match === null) throw refused(what, 'not one public key in PEM form')
  const der = Buffer.from(match[1] ?? '', 'base64')
  return keyOfDer(der, what)
}

/** @throws RktError `key-invalid`. */
function keyOfDer(der: Buffer, what: string): SigstoreKey {
  let publicKey: KeyObject
  try {
    publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch (cause) {
    throw refused(what, 'not a public key that can be read', cause)
  }
  // Only the canonical form names a key: the same key must not count twice.
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return { id: publicKeyID(spki), algorithm: algorithmOf(publicKey, what), publicKey }
}

/** Name of the algorithm of an accepted key. @throws RktError `key-invalid` for any other. */
export function algorithmOf(key: KeyObject, what: string): string {
  const { modulusLength = 0, namedCurve = '', publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'ec':
      if (namedCurve !== 'prime256v1') throw refused(what, `ECDSA key on curve ${namedCurve}`)
      return 'ECDSA P-256'
    case 'ed25519':
      return 'Ed25519'
    case 'rsa':
      if (modulusLength < 2048 || modulusLength > 16_384 || publicExponent < 3n) throw refused(what, `RSA key of ${modulusLength} bits`)
      return `RSA ${modulusLength}`
    default:
      throw refused(what, `${key.asymmetricKeyType ?? 'unknown'} key`)
  }
}

function refused(what: string, state: string, cause?: unknown): RktError {
  return new RktError('key-invalid', `cannot use ${what}: ${state}; expected an ECDSA P-256, Ed25519 or RSA public key of at least 2048 bits in PEM form`, cause === undefined ? {} : { cause })
}
