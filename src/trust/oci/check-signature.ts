import { createHash } from 'node:crypto'
import { quote, RktError, type Digest } from '../../base/index.ts'
import type { ACIdentifier, DockerReference, OciDocument, RawSignature, SignatureKind } from '../../spec/index.ts'
import { readDetachedSignatures, type DetachedSignature } from '../detached-signature.ts'
import type { Signer } from '../signer.ts'
import { preAuthEncoding, signedSubjects } from '../sigstore/statement.ts'
import { readBundle, type SigstoreBundle } from '../sigstore/bundle.ts'
import { bundleOfAnnotations } from '../sigstore/cosign-bundle.ts'
import { fromBase64, verifyWithKey } from '../sigstore/verify-with-key.ts'
import { trustHint } from '../trust-hint.ts'
import type { TrustedIdentity, TrustedKey, TrustedSigner, TrustedSigstoreKey } from '../trusted-signer.ts'
import { verifySignature } from '../verify-signature.ts'
import { digestsOf } from './evidence.ts'
import { matchIdentity } from './identity-match.ts'
import { payloadTypes, readSignaturePayload, type SignaturePayload } from './signature-payload.ts'
import { readSignedMessage } from './signed-message.ts'

export interface CheckOptions {
  readonly chain: readonly OciDocument[]
  /** Every stored signer, of whatever prefix. */
  readonly stored: readonly TrustedSigner[]
  readonly name: ACIdentifier
  readonly reference: DockerReference | undefined
  /** How commands call the image where it comes from. */
  readonly image: string
  /** Whether an administrator allows no image without a signature. */
  readonly isLocked: boolean
  readonly now: Date
}

/** A good signature by stored signers. */
export interface Checked {
  readonly signers: readonly Signer[]
  /** The tag that the signature covers. */
  readonly tag: string | undefined
}

/**
 * Checks one signature of an image against every stored signer.
 *
 * @throws RktError with why it does not count: `key-untrusted` when nobody who is stored made it.
 */
export async function checkOciSignature(signature: RawSignature, options: CheckOptions): Promise<Checked> {
  switch (signature.form) {
    case 'detached':
      return await checkDetached(signature.bytes, options)
    case 'simple-signing':
      return await checkSimpleSigning(signature.bytes, options)
    case 'cosign':
      return await checkCosign(signature, options)
    case 'bundle':
      return await checkBundle(readBundle(signature.bytes), options)
  }
}

async function checkDetached(bytes: Uint8Array, options: CheckOptions): Promise<Checked> {
  const signers: Signer[] = []
  const faults: RktError[] = []
  for (const signature of readDetachedSignatures(bytes)) {
    for (const document of options.chain) {
      const digest = createHash(signature.hash).update(document.bytes).update(signature.trailer).digest()
      try {
        signers.push(...(await checkOpenPGP(signature, { digest, kind: 'openpgp', options })))
      } catch (error) {
        if (!(error instanceof RktError)) throw error
        faults.push(error)
      }
    }
  }
  if (signers.length === 0) throw faults[0] ?? unknownSigner('nobody', 'openpgp', options)
  return { signers, tag: undefined }
}

async function checkSimpleSigning(bytes: Uint8Array, options: CheckOptions): Promise<Checked> {
  const { content, signature, digest } = readSignedMessage(bytes)
  const signers = await checkOpenPGP(signature, { digest, kind: 'simple-signing', options })
  return { signers, tag: matchPayload(readSignaturePayload(content, payloadTypes.openpgp), options) }
}

interface OpenPGPCheck {
  readonly digest: Uint8Array
  readonly kind: 'openpgp' | 'simple-signing'
  readonly options: CheckOptions
}

/** The stored keys that made an OpenPGP signature, at least one. */
async function checkOpenPGP(signature: DetachedSignature, { digest, kind, options }: OpenPGPCheck): Promise<readonly Signer[]> {
  const { issuerFingerprint, issuerKeyID } = signature
  const mayHaveMade = (key: TrustedKey): boolean =>
    [key.fingerprint, ...key.subkeyFingerprints].some((one) => (issuerFingerprint === undefined ? one.endsWith(issuerKeyID.toLowerCase()) : one === issuerFingerprint))
  const keys = options.stored.filter((key) => key.kind === 'openpgp').filter(mayHaveMade)
  const outcomes = await Promise.all(keys.map((key) => verifySignature({ signature, digest, key, now: options.now })))
  const signers = outcomes.flatMap((outcome) => (outcome.kind === 'good' ? [{ ...outcome.signer, kind }] : []))
  if (signers.length > 0) return signers
  const fault = outcomes.find((outcome) => outcome.kind === 'fault')
  if (fault === undefined) throw unknownSigner(`OpenPGP key ${issuerFingerprint ?? `with ID ${issuerKeyID}`}`, kind, options)
  throw new RktError(fault.code, `cannot use the signature: ${fault.state}`, { hint: fault.hint })
}

async function checkCosign({ payload, annotations }: RawSignature & { readonly form: 'cosign' }, options: CheckOptions): Promise<Checked> {
  const signature = fromBase64(annotations.signature)
  if (signature === undefined) throw new RktError('signature-invalid', 'cannot use the cosign signature: it is not base64')
  const withKey = bySigstoreKeys(options, { bytes: payload, signature })
  const signers = withKey.length > 0 || annotations.certificate === undefined ? withKey : await byIdentities(options, { bundle: bundleOfAnnotations(payload, annotations), artifact: payload })
  if (signers.length === 0) throw unknownSigstore(annotations.certificate === undefined, options)
  const statement = readSignaturePayload(payload, payloadTypes.cosign)
  const tag = matchPayload(statement, options)
  return { signers: signers.map((signer) => ({ ...signer, signedAt: signer.signedAt ?? statement.signedAt })), tag }
}

async function checkBundle({ signer, content, json }: SigstoreBundle, options: CheckOptions): Promise<Checked> {
  const [artifact, digests] = content.kind === 'envelope' ? [content.payload, []] : messageDocument(content.sha256, options)
  const bytes = content.kind === 'envelope' ? preAuthEncoding(content.payloadType, content.payload) : artifact
  const signers = signer === 'public-key' ? bySigstoreKeys(options, { bytes, signature: content.signature }) : await byIdentities(options, { bundle: json, artifact })
  if (signers.length === 0) throw unknownSigstore(signer === 'public-key', options)
  if (content.kind === 'envelope') requireDigest(signedSubjects(content.payload), options)
  else requireDigest(digests, options)
  return { signers, tag: undefined }
}

/**
 * The document of which a message signature states the digest.
 *
 * Attack: the log's entry is compared with the stated digest alone, so that must be the digest of what is really there.
 */
function messageDocument(sha256: Uint8Array, { chain }: CheckOptions): readonly [Uint8Array, readonly Digest[]] {
  const found = chain.find(({ bytes }) => createHash('sha256').update(bytes).digest().equals(sha256))
  if (found === undefined) throw anotherImage()
  return [found.bytes, digestsOf(found.bytes)]
}

function bySigstoreKeys({ stored }: CheckOptions, signed: { readonly bytes: Uint8Array; readonly signature: Uint8Array }): readonly Signer[] {
  const makers = stored.filter((key): key is TrustedSigstoreKey => key.kind === 'sigstore-key' && verifyWithKey(key.publicKey, signed))
  return makers.map((key) => ({ kind: 'sigstore-key', fingerprint: key.id, key, identities: [`${key.algorithm} key`], signedAt: undefined, expiresAtMs: Infinity }))
}

/** The stored identities for which the certificate was made; what does not hold under any of their trust roots is told. */
async function byIdentities({ stored, now }: CheckOptions, signed: { readonly bundle: object; readonly artifact: Uint8Array }): Promise<readonly Signer[]> {
  const identities = stored.filter((one): one is TrustedIdentity => one.kind === 'sigstore-identity')
  if (identities.length === 0) return []
  const { verifyIdentity } = await import('../sigstore/verify-identity.ts')
  const signers: Signer[] = []
  const faults: RktError[] = []
  for (const identity of identities) {
    try {
      const found = await verifyIdentity({ ...signed, identity, now })
      if (found !== undefined) {
        signers.push({ kind: 'sigstore-identity', fingerprint: identity.id, key: identity, identities: [`${identity.subject} (${identity.issuer})`], signedAt: found.signedAt, expiresAtMs: Infinity })
      }
    } catch (error) {
      if (!(error instanceof RktError)) throw error
      faults.push(error)
    }
  }
  const [fault] = faults
  if (signers.length === 0 && fault !== undefined) throw fault
  return signers
}

function matchPayload({ digest, reference: signed }: SignaturePayload, options: CheckOptions): string | undefined {
  requireDigest([digest], options)
  return matchIdentity({ signed, requested: options.reference, name: options.name, image: options.image })
}

/** A signature may be over any document of the chain: each names the next one by digest. */
function requireDigest(signed: readonly string[], { chain }: CheckOptions): void {
  const digests: readonly string[] = chain.flatMap(({ bytes }) => digestsOf(bytes))
  if (!signed.some((digest) => digests.includes(digest))) throw anotherImage(signed[0])
}

function anotherImage(digest?: string): RktError {
  return new RktError('signature-invalid', `cannot use the signature: it is for another image${digest === undefined ? '' : `, ${quote(digest)}`}`)
}

function unknownSigstore(isKey: boolean, options: CheckOptions): RktError {
  return isKey ? unknownSigner('a Sigstore key', 'sigstore-key', options) : unknownSigner('a Sigstore identity', 'sigstore-identity', options)
}

function unknownSigner(who: string, kind: SignatureKind, { name, isLocked }: CheckOptions): RktError {
  return new RktError('key-untrusted', `cannot use the signature: ${who} made it, which is not stored`, { hint: trustHint({ name, signer: kind, isLocked }) })
}
