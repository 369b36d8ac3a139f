import { RktError } from '../../base/index.ts'
import type { SigstoreIdentity } from './identity.ts'

export interface VerifyIdentityOptions {
  /** The bundle as JSON that was read by strict rules. */
  readonly bundle: object
  /** The bytes that a message signature is over; an envelope holds its own. */
  readonly artifact: Uint8Array
  readonly identity: SigstoreIdentity
  readonly now: Date
}

/** Whose certificate made a signature, and when by a clock that is not the signer's. */
export interface CertifiedSigner {
  readonly signedAt: Date
}

/**
 * Checks, without any network, that a certificate of the trust root's authority for exactly this issuer and subject made the signature
 * while it was valid, and that the transparency log has it. Undefined when the certificate is another one's.
 *
 * @throws RktError `signature-invalid` with what does not hold, `key-invalid` for a trust root that cannot be read.
 */
export async function verifyIdentity({ bundle, artifact, identity, now }: VerifyIdentityOptions): Promise<CertifiedSigner | undefined> {
  const [{ bundleFromJSON }, { toSignedEntity, toTrustMaterial, Verifier }, { TrustedRoot }] = await Promise.all([
    import('@sigstore/bundle'),
    import('@sigstore/verify'),
    import('@sigstore/protobuf-specs'),
  ])
  const material = attempt(() => toTrustMaterial(TrustedRoot.fromJSON(identity.trustRoot)), trustRootRefused)
  if (material.tlogs.length === 0 || material.certificateAuthorities.length === 0) throw trustRootRefused(new Error('it names no transparency log or no certificate authority'))
  const entity = attempt(() => toSignedEntity(bundleFromJSON(bundle), Buffer.from(artifact)), signatureRefused)
  // A deployment without a certificate log says so in its trust root, which the administrator chose.
  const verifier = new Verifier(material, { tlogThreshold: 1, timestampThreshold: 1, ctlogThreshold: material.ctlogs.length === 0 ? 0 : 1 })
  const signer = attempt(() => verifier.verify(entity), signatureRefused)
  const { subjectAlternativeName: subject, extensions } = signer.identity ?? {}
  if (subject !== identity.subject || extensions?.issuer !== identity.issuer) return undefined
  const signedAt = earliest(entity.timestamps)
  if (signedAt === undefined || signedAt > now) throw signatureRefused(new Error(`it is dated ${signedAt?.toISOString() ?? 'never'}`))
  return { signedAt }
}

type Timestamps = ReturnType<(typeof import('@sigstore/verify'))['toSignedEntity']>['timestamps']

/** Of the timestamps that the verifier checked: a log's time counts only with the log's own signature over it. */
function earliest(timestamps: Timestamps): Date | undefined {
  const dates = timestamps.flatMap((one) => {
    if (one.$case === 'timestamp-authority') return [one.timestamp.signingTime]
    return one.tlogEntry.inclusionPromise === undefined ? [] : [new Date(Number(one.tlogEntry.integratedTime) * 1000)]
  })
  return dates.sort((a, b) => a.getTime() - b.getTime())[0]
}

function attempt<T>(act: () => T, refuse: (cause: unknown) => RktError): T {
  try {
    return act()
  } catch (cause) {
    // The library throws errors of its own and, for input that breaks its readers, plain ones: all mean the same here.
    throw refuse(cause)
  }
}

function trustRootRefused(cause: unknown): RktError {
  return new RktError('key-invalid', `cannot use the trust root of an identity: ${words(cause)}`, { cause })
}

function signatureRefused(cause: unknown): RktError {
  return new RktError('signature-invalid', `cannot use the Sigstore bundle: ${words(cause)}`, { cause })
}

function words(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0] ?? '' : 'it cannot be read'
}
