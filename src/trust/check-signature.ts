import { quote, reveal, RktError, type ReceivedBlob, type Unverified } from '../base/index.ts'
import type { ACIdentifier } from '../spec/index.ts'
import { readDetachedSignatures, type DetachedSignature } from './detached-signature.ts'
import type { Keystore } from './keystore.ts'
import { signatureDigest } from './signature-digest.ts'
import type { Signer } from './signer.ts'
import { trustHint } from './trust-hint.ts'
import type { TrustedKey } from './trusted-signer.ts'
import { signed, type Signed } from './verified.ts'
import { verifySignature } from './verify-signature.ts'

export interface CheckSignatureOptions {
  readonly now: Date
  /** What is checked, as the user knows it: a path, a URL, a name. */
  readonly object?: string
  /** The name under which the image was asked for, if it was by name. */
  readonly name?: ACIdentifier
}

/**
 * Checks a detached signature over a received blob against every stored key; nothing of the blob is parsed, and the library never
 * sees it. Of several signatures by stored keys, none may be false and one must be good.
 *
 * @throws RktError `signature-invalid` (damaged, false, or of a refused kind), `key-untrusted` (no stored key made it),
 * `key-expired`, `key-revoked`, `key-invalid`, `limit-exceeded`.
 */
export async function checkSignature(
  blob: Unverified<ReceivedBlob>,
  signature: Uint8Array,
  keystore: Keystore,
  options: CheckSignatureOptions,
): Promise<Signed<ReceivedBlob>> {
  const received = reveal(blob, 'check signature')
  const signatures = readDetachedSignatures(signature)
  const stored = keystore.allKeys()
  const signers: Signer[] = []
  const faults: RktError[] = []
  for (const one of signatures) {
    const keys = stored.filter((key) => mayHaveMade(key, one))
    if (keys.length === 0) continue
    const digest = await signatureDigest(received, one)
    for (const key of keys) {
      const outcome = await verifySignature({ signature: one, digest, key, now: options.now })
      if (outcome.kind === 'good') signers.push(outcome.signer)
      else faults.push(new RktError(outcome.code, `cannot use ${objectText(options)}: ${outcome.state}`, { hint: outcome.hint }))
    }
  }
  const falseSignature = faults.find(({ code }) => code === 'signature-invalid')
  if (falseSignature !== undefined) throw falseSignature
  if (signers.length > 0) return signed(received, signers)
  throw faults[0] ?? unknownSigner(signatures, keystore, options)
}

/** Whether the primary key or a subkey is the one that the signature names. */
function mayHaveMade(key: TrustedKey, { issuerFingerprint, issuerKeyID }: DetachedSignature): boolean {
  return [key.fingerprint, ...key.subkeyFingerprints].some((fingerprint) =>
    issuerFingerprint === undefined ? fingerprint.endsWith(issuerKeyID.toLowerCase()) : fingerprint === issuerFingerprint,
  )
}

function unknownSigner(signatures: readonly DetachedSignature[], { policies }: Keystore, options: CheckSignatureOptions): RktError {
  const issuers = signatures.map(({ issuerFingerprint, issuerKeyID }) => issuerFingerprint ?? `with ID ${issuerKeyID}`)
  return new RktError('key-untrusted', `cannot use ${objectText(options)}: openpgp: signature made by unknown entity; its key ${issuers.join(', ')} is not stored`, {
    hint: trustHint({ name: options.name, isLocked: options.name !== undefined && policies.policyFor(options.name).lockedBy !== undefined }),
  })
}

function objectText({ object }: CheckSignatureOptions): string {
  return object === undefined ? 'the image' : `image ${quote(object)}`
}
