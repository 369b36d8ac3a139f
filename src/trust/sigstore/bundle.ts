import { limits, RktError } from '../../base/index.ts'
import { isJsonObject, parseSignatureJson, type JsonObject } from '../json-object.ts'
import { statementMediaType } from './statement.ts'
import { fromBase64 } from './verify-with-key.ts'

/** A Sigstore bundle as read by strict rules; nothing of it is believed. SPEC: sigstore/protobuf-specs, sigstore_bundle.proto. */
export interface SigstoreBundle {
  /** Whether a public key that is known elsewhere made it, or one that a certificate names. */
  readonly signer: 'public-key' | 'certificate'
  readonly content: BundleContent
  /** The whole, for the library. */
  readonly json: object
}

export type BundleContent =
  | { readonly kind: 'envelope'; readonly payload: Uint8Array; readonly payloadType: string; readonly signature: Uint8Array }
  | { readonly kind: 'message'; readonly sha256: Uint8Array; readonly signature: Uint8Array }

const mediaTypes = /^application\/vnd\.dev\.sigstore\.bundle(?:\+json;version=0\.[123]|\.v0\.3\+json)$/

/** Entries of the transparency log, certificates and timestamps that one bundle may have. */
const maxParts = 8

/**
 * Reads a bundle with one signature: over an envelope, or over the image's manifest itself.
 *
 * @throws RktError `signature-invalid`.
 */
export function readBundle(bytes: Uint8Array): SigstoreBundle {
  const json = parseSignatureJson(bytes, { what: 'the bundle', maxBytes: limits.bundleBytes, maxDepth: 16 })
  if (!isJsonObject(json)) throw refused('not an object')
  const type = json['mediaType']
  if (typeof type !== 'string' || !mediaTypes.test(type)) throw refused(`media type ${JSON.stringify(type)}`)
  const material = object(json, 'verificationMaterial')
  const parts = [material['tlogEntries'], member(material, 'x509CertificateChain')?.['certificates'], member(material, 'timestampVerificationData')?.['rfc3161Timestamps']]
  for (const part of parts) if (part !== undefined && (!Array.isArray(part) || part.length > maxParts)) throw refused('a list that is none, or is too long')
  const signers = ['publicKey', 'certificate', 'x509CertificateChain'].filter((name) => material[name] !== undefined)
  if (signers.length !== 1) throw refused('it does not say with what one key it was made')
  return { signer: signers[0] === 'publicKey' ? 'public-key' : 'certificate', content: readContent(json), json }
}

function readContent(json: JsonObject): BundleContent {
  const [envelope, message] = [member(json, 'dsseEnvelope'), member(json, 'messageSignature')]
  if ((envelope === undefined) === (message === undefined)) throw refused('neither or both of envelope and message signature')
  return envelope === undefined ? readMessage(message ?? {}) : readEnvelope(envelope)
}

function readEnvelope(envelope: JsonObject): BundleContent {
  const signatures: unknown = envelope['signatures']
  if (!Array.isArray(signatures) || signatures.length !== 1) throw refused('an envelope without exactly one signature')
  const [signature] = signatures.map((one: unknown) => (isJsonObject(one) ? base64(one, 'sig') : undefined))
  if (signature === undefined) throw refused('damaged envelope')
  if (envelope['payloadType'] !== statementMediaType) throw refused(`an envelope of type ${JSON.stringify(envelope['payloadType'])}`)
  return { kind: 'envelope', payload: base64(envelope, 'payload'), payloadType: statementMediaType, signature }
}

function readMessage(message: JsonObject): BundleContent {
  const digest = object(message, 'messageDigest')
  if (digest['algorithm'] !== 'SHA2_256') throw refused('a message digest other than SHA-256')
  return { kind: 'message', sha256: base64(digest, 'digest'), signature: base64(message, 'signature') }
}

function object(fields: JsonObject, name: string): JsonObject {
  const value = fields[name]
  if (!isJsonObject(value)) throw refused(`no "${name}"`)
  return value
}

function member(fields: JsonObject, name: string): JsonObject | undefined {
  return fields[name] === undefined ? undefined : object(fields, name)
}

function base64(fields: JsonObject, name: string): Uint8Array {
  const value = fields[name]
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined
  if (bytes === undefined) throw refused(`"${name}" is not base64`)
  return bytes
}

function refused(state: string): RktError {
  return new RktError('signature-invalid', `cannot use the Sigstore bundle: ${state}`)
}
