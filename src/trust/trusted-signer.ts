import { quote, RktError } from '../base/index.ts'
import type { GuardedFile } from './guarded-directory.ts'
import { readPublicKeys, type PublicKey } from './public-key.ts'
import type { TrustScope } from './scope.ts'
import { readIdentity, type SigstoreIdentity } from './sigstore/identity.ts'
import { readSigstoreKey, type SigstoreKey } from './sigstore/sigstore-key.ts'
import { signerForm } from './signer-id.ts'

interface StoredSigner {
  /** Name of its file. */
  readonly id: string
  readonly path: string
  readonly scope: TrustScope
  /** Content of the file. */
  readonly content: Uint8Array
}

/** An OpenPGP public key that the administrator stored. */
export interface TrustedKey extends PublicKey, StoredSigner {
  readonly kind: 'openpgp'
}

/** A public key for cosign's signatures that the administrator stored. */
export interface TrustedSigstoreKey extends SigstoreKey, StoredSigner {
  readonly kind: 'sigstore-key'
}

/** An identity for which a certificate may be made, as the administrator stored it. */
export interface TrustedIdentity extends SigstoreIdentity, StoredSigner {
  readonly kind: 'sigstore-identity'
}

export type TrustedSigner = TrustedKey | TrustedSigstoreKey | TrustedIdentity

/**
 * Reads a file of the keystore; what it holds must be what its name says.
 *
 * @throws RktError `key-invalid` naming the file.
 */
export function readTrustedSigner(file: GuardedFile, scope: TrustScope): TrustedSigner {
  const id = checkedName(file)
  const stored: StoredSigner = { id, path: file.path, scope, content: file.content }
  const what = `key file ${quote(file.path)}`
  switch (signerForm(id)) {
    case 'sigstore-key':
      return { kind: 'sigstore-key', ...stored, ...checked(file, readSigstoreKey(file.content, what)) }
    case 'sigstore-identity':
      return { kind: 'sigstore-identity', ...stored, ...checked(file, readIdentity(file.content, what)) }
    default:
      return { kind: 'openpgp', ...stored, ...readOneKey(file, what) }
  }
}

/** @throws RktError `key-invalid` when a file has a name that is no signer's. */
export function checkedName(file: GuardedFile): string {
  if (signerForm(file.name) === undefined) {
    throw new RktError('key-invalid', `cannot use key file ${quote(file.path)}: its name is not a fingerprint; expected 40 lower-case hexadecimal digits, or sha256- or identity- and 64 of them`)
  }
  return file.name
}

function readOneKey(file: GuardedFile, what: string): PublicKey {
  const keys = readPublicKeys(file.content, what)
  const [key] = keys
  if (key === undefined || keys.length > 1) throw new RktError('key-invalid', `cannot use ${what}: ${keys.length} keys; expected one`)
  if (key.fingerprint !== file.name) throw mismatch(file, key.fingerprint)
  return key
}

function checked<T extends { readonly id: string }>(file: GuardedFile, signer: T): T {
  if (signer.id !== file.name) throw mismatch(file, signer.id)
  return signer
}

function mismatch(file: GuardedFile, found: string): RktError {
  return new RktError('key-invalid', `cannot use key file ${quote(file.path)}: fingerprint mismatch: it holds key ${found}; expected the key that its name says`)
}
