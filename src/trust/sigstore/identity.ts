import { parseStrictJson, RktError } from '../../base/index.ts'
import { isJsonObject } from '../json-object.ts'
import { identityID } from '../signer-id.ts'

/** Whom a certificate must name, and who may have made it. */
export interface SigstoreIdentity {
  /** `identity-` and the digest of issuer and subject. */
  readonly id: string
  /** URL of the identity provider, compared exactly. */
  readonly issuer: string
  /** Mail address or URL of the signer, compared exactly. */
  readonly subject: string
  /** The trust root, JSON of `application/vnd.dev.sigstore.trustedroot+json`, read when a signature is checked. */
  readonly trustRoot: unknown
}

const maxBytes = 1_048_576
const trustRootType = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.[12]\+json)$/

/**
 * Reads an identity from its file in the keystore.
 *
 * @throws RktError `key-invalid`, `invalid-json`, `limit-exceeded`.
 */
export function readIdentity(bytes: Uint8Array, what: string): SigstoreIdentity {
  const json = parseStrictJson(bytes, { what, maxBytes })
  if (!isJsonObject(json)) throw refused(what, 'not a JSON object')
  const { rktKind, rktVersion, issuer, subject, trustRoot, ...others } = json
  if (rktKind !== 'identity' || rktVersion !== 'v1') throw refused(what, 'not of rktKind "identity", rktVersion "v1"')
  const [stranger] = Object.keys(others)
  if (stranger !== undefined) throw refused(what, `unknown field ${JSON.stringify(stranger)}`)
  return makeIdentity({ issuer, subject, trustRoot, what })
}

export interface MakeIdentityOptions {
  readonly issuer: unknown
  readonly subject: unknown
  readonly trustRoot: unknown
  readonly what: string
}

/** Checks the parts of an identity; patterns do not exist, so that nothing matches by accident. */
export function makeIdentity({ issuer, subject, trustRoot, what }: MakeIdentityOptions): SigstoreIdentity {
  if (typeof issuer !== 'string' || !/^https:\/\/[\x21-\x7e]{1,1000}$/.test(issuer) || !URL.canParse(issuer)) throw refused(what, `issuer is ${JSON.stringify(issuer)}; expected an https URL`)
  if (typeof subject !== 'string' || !/^[\x21-\x7e]{1,1000}$/.test(subject)) throw refused(what, `subject is ${JSON.stringify(subject)}; expected a mail address or URL`)
  if (/[*^$|\\]/.test(subject)) throw refused(what, `subject is ${JSON.stringify(subject)}; expected the exact subject, no pattern`)
  if (!isJsonObject(trustRoot) || typeof trustRoot['mediaType'] !== 'string' || !trustRootType.test(trustRoot['mediaType'])) {
    throw refused(what, 'the trust root is not of type application/vnd.dev.sigstore.trustedroot+json;version=0.1')
  }
  return { id: identityID({ issuer, subject }), issuer, subject, trustRoot }
}

/** The file of an identity. */
export function identityFile({ issuer, subject, trustRoot }: SigstoreIdentity): string {
  return `${JSON.stringify({ rktKind: 'identity', rktVersion: 'v1', issuer, subject, trustRoot }, undefined, 1)}\n`
}

function refused(what: string, state: string): RktError {
  return new RktError('key-invalid', `cannot use ${what}: ${state}`)
}
