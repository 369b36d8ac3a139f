import { createHash } from 'node:crypto'
import { quote, RktError } from '../base/index.ts'

/**
 * Name of a stored signer and of its file: the fingerprint of an OpenPGP key (40 hexadecimal digits), `sha256-` and the digest of a
 * public key's DER form, or `identity-` and the digest of issuer and subject.
 */
export type SignerForm = 'openpgp' | 'sigstore-key' | 'sigstore-identity'

const patterns: readonly (readonly [SignerForm, RegExp])[] = [
  ['openpgp', /^[0-9a-f]{40}$/],
  ['sigstore-key', /^sha256-[0-9a-f]{64}$/],
  ['sigstore-identity', /^identity-[0-9a-f]{64}$/],
]

/** What kind of signer has this name; undefined when none can. */
export function signerForm(id: string): SignerForm | undefined {
  return patterns.find(([, pattern]) => pattern.test(id))?.[0]
}

/** Whether a text can be the name of a stored signer. */
export function isSignerID(text: string): boolean {
  return signerForm(text) !== undefined
}

/** @throws RktError `usage` when a text cannot be the name of a stored signer. */
export function checkSignerID(text: string): string {
  if (!isSignerID(text)) {
    throw new RktError('usage', `cannot use fingerprint ${quote(text)}: expected 40 lower-case hexadecimal digits, or sha256- or identity- and 64 of them`)
  }
  return text
}

/** The name of a public key by its SubjectPublicKeyInfo. */
export function publicKeyID(spki: Uint8Array): string {
  return `sha256-${createHash('sha256').update(spki).digest('hex')}`
}

/** The name of an identity; no URL and no subject holds a NUL. */
export function identityID({ issuer, subject }: { readonly issuer: string; readonly subject: string }): string {
  return `identity-${createHash('sha256').update(`${issuer}\0${subject}`).digest('hex')}`
}
