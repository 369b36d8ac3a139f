import { createHash } from 'node:crypto'
import { digestParts, isRktError, limits, parseDigest, parseStrictJson, quote, RktError, unverified, type Digest, type Unverified } from '../../base/index.ts'
import { formatDockerReference, parseDockerReference, readOciDocument, type CosignAnnotations, type DockerReference, type OciDocument, type OciImage, type OciPlatform, type RawSignature } from '../../spec/index.ts'
import { isJsonObject, type JsonObject } from '../json-object.ts'

/** Everything of which a verdict about an OCI image can be made again without any network. */
export interface OciEvidence {
  /** Documents as received, outermost first, the image's manifest last. */
  readonly chain: readonly OciDocument[]
  /** What a registry was asked for; undefined for files. */
  readonly reference: DockerReference | undefined
  readonly signatures: readonly RawSignature[]
}

/**
 * The file that is kept with an image: JSON, binary parts in base64.
 *
 * @throws RktError `limit-exceeded` past `limits.evidenceBytes`.
 */
export function formatEvidence({ chain, reference, signatures }: OciEvidence): string {
  const text = `${JSON.stringify({
    version: 1,
    chain: chain.map(({ mediaType, digest, bytes }) => ({ mediaType, digest, bytes: base64(bytes) })),
    ...(reference === undefined ? {} : { reference: formatDockerReference(reference) }),
    signatures: signatures.map((signature) =>
      signature.form === 'cosign' ? { ...signature, payload: base64(signature.payload) } : { ...signature, bytes: base64(signature.bytes) },
    ),
  })}\n`
  if (text.length > limits.evidenceBytes) throw new RktError('limit-exceeded', `cannot keep the signatures of the image: ${text.length} bytes; expected at most ${limits.evidenceBytes}`)
  return text
}

/**
 * Reads the file back; what it says is as unverified as when it was received.
 *
 * @throws RktError `corrupted`.
 */
export function parseEvidence(bytes: Uint8Array): OciEvidence {
  try {
    const json = parseStrictJson(bytes, { what: 'the evidence of an image', maxBytes: limits.evidenceBytes, maxDepth: 6 })
    if (!isJsonObject(json) || json['version'] !== 1) throw damaged('version')
    return {
      chain: list(json, 'chain').map(readLink),
      reference: json['reference'] === undefined ? undefined : parseDockerReference(text(json, 'reference')),
      signatures: list(json, 'signatures').map(readSignature),
    }
  } catch (cause) {
    if (isRktError(cause) && cause.code !== 'corrupted') throw new RktError('corrupted', `cannot use the evidence of an image: ${cause.message}`, { cause })
    throw cause
  }
}

/**
 * The image of a chain of documents: each names the next by digest, and the last is a manifest.
 *
 * @throws RktError `corrupted`, and as `readOciDocument`.
 */
export function imageOfChain(chain: readonly OciDocument[]): Unverified<OciImage> {
  let platform: OciPlatform | undefined
  for (const [index, link] of chain.entries()) {
    if (!digestsOf(link.bytes).includes(link.digest)) throw damaged(`document ${quote(link.digest)}`)
    const document = readOciDocument(link.bytes, link.mediaType)
    const next = chain[index + 1]
    if (document.kind === 'manifest') {
      if (next !== undefined) throw damaged('order of documents')
      return unverified({ chain, manifest: document, platform })
    }
    const entry = document.manifests.find(({ digest }) => digest === next?.digest)
    if (entry === undefined) throw damaged('order of documents')
    platform = entry.platform
  }
  throw damaged('list of documents')
}

/** Both digests that can name these bytes. */
export function digestsOf(bytes: Uint8Array): readonly Digest[] {
  return (['sha256', 'sha512'] as const).map((algorithm) => parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`))
}

function readLink(json: unknown): OciDocument {
  if (!isJsonObject(json)) throw damaged('chain')
  const digest = parseDigest(text(json, 'digest'))
  const bytes = binary(json, 'bytes')
  const { algorithm, hex } = digestParts(digest)
  if (createHash(algorithm).update(bytes).digest('hex') !== hex) throw damaged('chain')
  return { mediaType: text(json, 'mediaType'), digest, bytes }
}

function readSignature(json: unknown): RawSignature {
  if (!isJsonObject(json)) throw damaged('signatures')
  const place = text(json, 'place')
  const form = json['form']
  switch (form) {
    case 'detached':
    case 'simple-signing':
    case 'bundle':
      return { form, place, bytes: binary(json, 'bytes') }
    case 'cosign':
      return { form, place, payload: binary(json, 'payload'), annotations: readAnnotations(json['annotations']) }
    default:
      throw damaged('form')
  }
}

function readAnnotations(json: unknown): CosignAnnotations {
  if (!isJsonObject(json)) throw damaged('annotations')
  const optional = (name: string): object => (json[name] === undefined ? {} : { [name]: text(json, name) })
  return { signature: text(json, 'signature'), ...optional('certificate'), ...optional('chain'), ...optional('bundle') }
}

function list(json: JsonObject, name: string): readonly unknown[] {
  const value = json[name]
  if (!Array.isArray(value) || value.length > limits.imageSignatures) throw damaged(name)
  return value
}

function text(json: JsonObject, name: string): string {
  const value = json[name]
  if (typeof value !== 'string') throw damaged(name)
  return value
}

function binary(json: JsonObject, name: string): Uint8Array {
  const value = text(json, name)
  const bytes = Buffer.from(value, 'base64')
  if (base64(bytes) !== value) throw damaged(name)
  return bytes
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function damaged(what: string): RktError {
  return new RktError('corrupted', `cannot use the evidence of an image: ${what} is damaged; expected what a fetch writes`)
}
