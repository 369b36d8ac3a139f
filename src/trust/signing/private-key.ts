import { createPrivateKey, createPublicKey, scryptSync, type KeyObject } from 'node:crypto'
import { isRktError, limits, parseStrictJson, RktError } from '../../base/index.ts'
import { algorithmOf } from '../sigstore/sigstore-key.ts'
import { fromBase64 } from '../sigstore/verify-with-key.ts'
import { openSecretbox } from './secretbox.ts'

export interface PrivateKeyOptions {
  /** The file, for messages. */
  readonly what: string
  /** For keys that cosign or podman encrypted; undefined when none was given. */
  readonly passphrase: Uint8Array | undefined
}

const cosignPattern = /^-----BEGIN ENCRYPTED (?:COSIGN|SIGSTORE) PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END ENCRYPTED (?:COSIGN|SIGSTORE) PRIVATE KEY-----\s*$/

/** Whether the bytes are a private key in PEM form, encrypted or not; those of OpenPGP are something else. */
export function isPrivateKeyPem(bytes: Uint8Array): boolean {
  return /^\s*-----BEGIN (?!PGP)[A-Z ]*PRIVATE KEY-----/.test(Buffer.from(bytes.subarray(0, 200)).toString('latin1'))
}

/**
 * Reads a private key in PEM form: PKCS #8, SEC 1 or PKCS #1, or as cosign encrypts it.
 *
 * @throws RktError `key-invalid` for a wrong passphrase, another algorithm, or what is no private key; `usage` without a passphrase.
 */
export function readPrivateKey(bytes: Uint8Array, { what, passphrase }: PrivateKeyOptions): KeyObject {
  const text = Buffer.from(bytes).toString('latin1').trim()
  const encrypted = cosignPattern.exec(text)?.[1]
  if (encrypted === undefined && /ENCRYPTED/.test(text) && passphrase === undefined) throw passphraseMissing(what)
  const key = readKey(what, () =>
    encrypted === undefined
      ? createPrivateKey({ key: text, format: 'pem', ...(passphrase === undefined ? {} : { passphrase: Buffer.from(passphrase) }) })
      : createPrivateKey({ key: Buffer.from(decrypt(encrypted, { what, passphrase })), format: 'der', type: 'pkcs8' }),
  )
  algorithmOf(createPublicKey(key), what)
  return key
}

function readKey(what: string, read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch (cause) {
    if (isRktError(cause)) throw cause
    throw new RktError('key-invalid', `cannot sign with ${what}: not a private key that can be read, or the passphrase is wrong`, { cause })
  }
}

/** SPEC: go-securesystemslib encrypted: scrypt makes the key of a secretbox. */
function decrypt(base64: string, { what, passphrase }: PrivateKeyOptions): Uint8Array {
  if (passphrase === undefined) throw passphraseMissing(what)
  const json = parseStrictJson(Buffer.from(base64, 'base64'), { what, maxBytes: limits.signatureBytes, maxDepth: 4 })
  const kdf = member(json, 'kdf')
  const params = member(kdf, 'params')
  const cipher = member(json, 'cipher')
  const [N, r, p] = ['N', 'r', 'p'].map((name) => member(params, name))
  const [salt, nonce, box] = [member(kdf, 'salt'), member(cipher, 'nonce'), member(json, 'ciphertext')].map((value) => (typeof value === 'string' ? fromBase64(value) : undefined))
  const known = member(kdf, 'name') === 'scrypt' && member(cipher, 'name') === 'nacl/secretbox'
  // Costlier parameters than any tool writes would hold up whoever signs.
  if (!known || !isCount(N, 1 << 18) || !isCount(r, 16) || !isCount(p, 16) || salt === undefined || nonce === undefined || box === undefined) {
    throw new RktError('key-invalid', `cannot sign with ${what}: its encryption is not one that is known; expected scrypt and nacl/secretbox`)
  }
  const key = scryptSync(passphrase, salt, 32, { N, r, p, maxmem: 128 * N * r + (1 << 20) * 32 })
  const opened = openSecretbox(box, { key, nonce })
  if (opened === undefined) throw new RktError('key-invalid', `cannot sign with ${what}: the passphrase is wrong, or the file was changed`)
  return opened
}

function member(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Object.getOwnPropertyDescriptor(json, name)?.value : undefined
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
}

function passphraseMissing(what: string): RktError {
  return new RktError('usage', `cannot sign with ${what}: it is encrypted, and no passphrase is given`, { hint: 'name a file with it: --passphrase-file=FILE' })
}
