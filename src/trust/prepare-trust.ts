import { escapeText, parseStrictJson } from '../base/index.ts'
import { describeKey, type KeyDescription } from './describe-key.ts'
import type { Keystore } from './keystore.ts'
import { readPublicKeys } from './public-key.ts'
import { reviewText } from './review-text.ts'
import type { TrustScope } from './scope.ts'
import { identityFile, makeIdentity } from './sigstore/identity.ts'
import { isPem, readSigstoreKey } from './sigstore/sigstore-key.ts'

export interface PrepareTrustOptions {
  /** The file as it was read: one or several OpenPGP keys, armoured or binary, or one public key in PEM form. */
  readonly bytes: Uint8Array
  readonly scope: TrustScope
  readonly keystore: Keystore
  /** Where the bytes come from, for messages. */
  readonly what: string
  readonly now: Date
}

export interface PrepareIdentityOptions extends Omit<PrepareTrustOptions, 'bytes' | 'now'> {
  /** Whom certificates name, and who made sure of it: compared exactly. */
  readonly subject: string
  readonly issuer: string
  /** The trust root: JSON with the authorities and logs that count. */
  readonly trustRoot: Uint8Array
}

/** Keys that were read and described, and are stored only by `commit`. */
export interface PreparedTrust {
  readonly keys: readonly KeyDescription[]
  /** What to show before asking. */
  readonly reviewText: string
  /** Stores every key durably; gives where. */
  commit(): { readonly fingerprint: string; readonly path: string }[]
}

/**
 * Reads the keys of a file for review; nothing is trusted before `commit`.
 *
 * @throws RktError `key-invalid` or `limit-exceeded` when one of the keys cannot be trusted.
 */
export async function prepareTrust(options: PrepareTrustOptions): Promise<PreparedTrust> {
  const { bytes, scope, keystore, what, now } = options
  if (isPem(bytes)) return prepareSigstoreKey(options)
  const found = readPublicKeys(bytes, what)
  const keys: KeyDescription[] = []
  for (const key of found) keys.push(await describeKey(key, { what, now }))
  return {
    keys,
    reviewText: reviewText(keys),
    commit: () => found.map((key) => ({ fingerprint: key.fingerprint, path: keystore.add(scope, key) })),
  }
}

function prepareSigstoreKey({ bytes, scope, keystore, what }: PrepareTrustOptions): PreparedTrust {
  const { id, algorithm, publicKey } = readSigstoreKey(bytes, what)
  const content = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  return {
    keys: [{ fingerprint: id, subkeys: [], identities: [], warnings: [] }],
    reviewText: `sigstore key fingerprint is: ${id}\n\t${algorithm}\n`,
    commit: () => [{ fingerprint: id, path: keystore.addSigner(scope, { id, content }) }],
  }
}

/**
 * Reads an identity and its trust root for review; nothing is trusted before `commit`.
 *
 * @throws RktError `key-invalid`, `invalid-json` or `limit-exceeded`.
 */
export function prepareIdentity({ subject, issuer, trustRoot, scope, keystore, what }: PrepareIdentityOptions): PreparedTrust {
  const identity = makeIdentity({ issuer, subject, trustRoot: parseStrictJson(trustRoot, { what }), what })
  return {
    keys: [{ fingerprint: identity.id, subkeys: [], identities: [subject], warnings: [] }],
    reviewText: `sigstore identity is: ${escapeText(subject)}\n    Issuer: ${escapeText(issuer)}\n    Trust root: ${escapeText(what)}\n    Name in the keystore: ${identity.id}\n`,
    commit: () => [{ fingerprint: identity.id, path: keystore.addSigner(scope, { id: identity.id, content: identityFile(identity) }) }],
  }
}
