import { RktError } from '../../base/index.ts'
import { isJsonObject, parseSignatureJson, type JsonObject } from '../json-object.ts'

/** What a container signature says, after its signature held. SPEC: containers/image docs/containers-signature.5.md. */
export interface SignaturePayload {
  /** `sha256:…` of the manifest or index. */
  readonly digest: string
  /** `host/repository[:tag]` as the signer wrote it. */
  readonly reference: string
  /** When it was signed, by the signer's own clock; undefined when it does not say. */
  readonly signedAt: Date | undefined
}

/** Types of payload: OpenPGP messages have the first, cosign's signatures the second. */
export const payloadTypes = { openpgp: 'atomic container signature', cosign: 'cosign container image signature' } as const

/**
 * Reads the JSON of a container signature; only what has exactly the known critical parts is one.
 *
 * @throws RktError `signature-invalid`.
 */
export function readSignaturePayload(bytes: Uint8Array, type: (typeof payloadTypes)[keyof typeof payloadTypes]): SignaturePayload {
  const json = parseSignatureJson(bytes, { what: 'the payload of the signature', maxDepth: 8 })
  const top = fields(json, 'payload', ['critical', 'optional'])
  const critical = fields(top['critical'], 'critical', ['type', 'image', 'identity'])
  if (critical['type'] !== type) throw refused(`its type is ${JSON.stringify(critical['type'])}; expected ${JSON.stringify(type)}`)
  const image = fields(critical['image'], 'critical.image', ['docker-manifest-digest'])
  const identity = fields(critical['identity'], 'critical.identity', ['docker-reference'])
  return {
    digest: text(image, 'docker-manifest-digest'),
    reference: text(identity, 'docker-reference'),
    signedAt: readTimestamp(top['optional']),
  }
}

/** Seconds since 1970. What else is optional says nothing that decides. */
function readTimestamp(optional: unknown): Date | undefined {
  if (optional === undefined || optional === null) return undefined
  if (typeof optional !== 'object' || Array.isArray(optional)) throw refused('"optional" is not an object')
  const seconds: unknown = Object.getOwnPropertyDescriptor(optional, 'timestamp')?.value
  if (typeof seconds !== 'number') return undefined
  const date = new Date(seconds * 1000)
  return Number.isInteger(seconds) && !Number.isNaN(date.getTime()) ? date : undefined
}

function fields(json: unknown, where: string, known: readonly string[]): JsonObject {
  if (!isJsonObject(json)) throw refused(`"${where}" is not an object`)
  const keys = Object.keys(json)
  if (where !== 'payload' && keys.length !== known.length) throw refused(`"${where}" has ${keys.length} members; expected exactly ${known.join(', ')}`)
  const stranger = keys.find((key) => !known.includes(key))
  if (stranger !== undefined) throw refused(`"${where}" has an unknown member`)
  return json
}

function text(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string' || value === '') throw refused(`"${name}" is not a text`)
  return value
}

function refused(state: string): RktError {
  return new RktError('signature-invalid', `cannot use the payload of the signature: ${state}`)
}
