import { RktError } from '../../base/index.ts'
import { isJsonObject, parseSignatureJson } from '../json-object.ts'

const statementTypes: readonly unknown[] = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']

/** What says "I sign this image"; every other predicate (a build log, a scan, a list of parts) says something else about it. */
export const signPredicateType = 'https://sigstore.dev/cosign/sign/v1'

/** Media type of an in-toto statement in an envelope. */
export const statementMediaType = 'application/vnd.in-toto+json'

const maxSubjects = 64

/**
 * The `sha256:…` digests that a signed statement is about.
 *
 * @throws RktError `signature-invalid` when it does not say that images are signed.
 */
export function signedSubjects(payload: Uint8Array): readonly string[] {
  const json = parseSignatureJson(payload, { what: 'the statement of the signature' })
  if (!isJsonObject(json) || !statementTypes.includes(json['_type'])) throw refused('it is no in-toto statement')
  if (json['predicateType'] !== signPredicateType) throw refused(`it is an attestation of type ${JSON.stringify(json['predicateType'])}, which does not sign the image`)
  const subjects: unknown = json['subject']
  if (!Array.isArray(subjects) || subjects.length === 0 || subjects.length > maxSubjects) throw refused('its subjects are missing or too many')
  return subjects.map((subject: unknown) => {
    const digest: unknown = isJsonObject(subject) ? subject['digest'] : undefined
    const sha256: unknown = isJsonObject(digest) ? digest['sha256'] : undefined
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw refused('a subject has no SHA-256 digest')
    return `sha256:${sha256}`
  })
}

/** What is signed of an envelope. SPEC: DSSE protocol.md, pre-authentication encoding. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `), payload])
}

function refused(state: string): RktError {
  return new RktError('signature-invalid', `cannot use the signature: ${state}; expected an in-toto statement of type ${signPredicateType}`)
}
