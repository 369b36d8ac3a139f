import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../base/index.ts'
import { payloadTypes } from '../oci/signature-payload.ts'
import { makeSignature, type GpgSigning, type SignatureForm } from '../sign-file.ts'
import { preAuthEncoding, signPredicateType, statementMediaType } from '../sigstore/statement.ts'

/** What is signed, and what the signer calls it. */
export interface SigningSubject {
  readonly digest: Digest
  /** `host/repository:tag`. */
  readonly reference: string
  readonly now: Date
  /** Program and version, for readers. */
  readonly creator: string
}

/** A signature in both forms that cosign reads. */
export interface SigstoreSignature {
  readonly payload: Uint8Array
  /** Base64, over the payload. */
  readonly signature: string
  /** JSON of a bundle with a statement. */
  readonly bundle: Uint8Array
}

/** The JSON of a container signature. */
function containerPayload({ digest, reference, now, creator }: SigningSubject, type: string): Buffer {
  const critical = { identity: { 'docker-reference': reference }, image: { 'docker-manifest-digest': digest }, type }
  return Buffer.from(JSON.stringify({ critical, optional: { creator, timestamp: Math.floor(now.getTime() / 1000) } }))
}

/**
 * Has GnuPG sign that a manifest is this image: the message that lookasides hold.
 *
 * @throws RktError as `makeSignature`.
 */
export async function signContainer(subject: SigningSubject, gpg: GpgSigning): Promise<Uint8Array> {
  return await signBytes(containerPayload(subject, payloadTypes.openpgp), { gpg, form: 'message' })
}

/** Has GnuPG sign the bytes of a manifest themselves: a detached signature in armour. */
export async function signManifest(bytes: Uint8Array, gpg: GpgSigning): Promise<Uint8Array> {
  return await signBytes(bytes, { gpg, form: 'detached' })
}

async function signBytes(bytes: Uint8Array, { gpg, form }: { readonly gpg: GpgSigning; readonly form: SignatureForm }): Promise<Uint8Array> {
  const directory = mkdtempSync(join(gpg.temporaryDirectory ?? '/tmp', 'rkt-sign-'))
  try {
    writeFileSync(join(directory, 'manifest'), bytes, { mode: 0o600 })
    return (await makeSignature(join(directory, 'manifest'), { ...gpg, form })).signature
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Signs that a manifest is this image with a key of Sigstore's kind. */
export function signWithSigstoreKey(key: KeyObject, subject: SigningSubject): SigstoreSignature {
  const payload = containerPayload(subject, payloadTypes.cosign)
  const statement = Buffer.from(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject: [{ digest: { sha256: subject.digest.replace(/^sha256:/, '') } }], predicateType: signPredicateType, predicate: {} }),
  )
  const hint = createHash('sha256').update(createPublicKey(key).export({ format: 'der', type: 'spki' })).digest('base64')
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint }, tlogEntries: [], timestampVerificationData: { rfc3161Timestamps: [] } },
    dsseEnvelope: {
      payload: statement.toString('base64'),
      payloadType: statementMediaType,
      signatures: [{ sig: signature(key, preAuthEncoding(statementMediaType, statement)), keyid: '' }],
    },
  }
  return { payload, signature: signature(key, payload), bundle: Buffer.from(JSON.stringify(bundle)) }
}

function signature(key: KeyObject, bytes: Uint8Array): string {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key).toString('base64')
}
