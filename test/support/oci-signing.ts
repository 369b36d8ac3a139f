import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { parseDigest, type Digest, type Unverified } from '../../src/base/index.ts'
import { parseDockerReference, identifierOf, ociMediaTypes, type ACIdentifier, type DockerReference, type OciDocument, type OciImage, type RawSignature } from '../../src/spec/index.ts'
import { imageOfChain } from '../../src/trust/index.ts'

/** Documents of an image that nothing stands behind: enough to sign and to judge. */
export interface SignedImage {
  readonly reference: DockerReference
  readonly name: ACIdentifier
  readonly chain: readonly OciDocument[]
  readonly image: Unverified<OciImage>
  /** Of the manifest. */
  readonly digest: Digest
}

export interface MakeImageOptions {
  readonly reference?: string
  readonly annotations?: Readonly<Record<string, string>>
  /** Whether an index stands before the manifest. */
  readonly index?: true
}

export function makeOciImage({ reference: text = 'registry.example.com/team/app:1.2', annotations = {}, index }: MakeImageOptions = {}): SignedImage {
  const reference = parseDockerReference(text)
  const layer = { mediaType: ociMediaTypes.layerGzip, digest: sha256(Buffer.from('layer')), size: 5 }
  const config = { mediaType: ociMediaTypes.config, digest: sha256(Buffer.from('{}')), size: 2 }
  const manifest = document({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config, layers: [layer], annotations })
  const entry = { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.byteLength, platform: { os: 'linux', architecture: 'amd64' } }
  const chain = index === undefined ? [manifest] : [document({ schemaVersion: 2, mediaType: ociMediaTypes.index, manifests: [entry] }), manifest]
  return { reference, name: identifierOf(reference), chain, image: imageOfChain(chain), digest: manifest.digest }
}

/** The JSON that a container signature is over. */
export function payloadOf({ digest, reference }: { readonly digest: string; readonly reference: string }, type = 'atomic container signature'): Buffer {
  return Buffer.from(JSON.stringify({ critical: { identity: { 'docker-reference': reference }, image: { 'docker-manifest-digest': digest }, type }, optional: { creator: 'test', timestamp: 1_700_000_000 } }))
}

export interface TestKey {
  readonly pem: Buffer
  readonly privateKey: KeyObject
  /** A cosign signature of a payload. */
  cosign(payload: Uint8Array): RawSignature & { readonly form: 'cosign' }
}

export function makeKey(kind: 'p256' | 'p384' | 'ed25519' | 'rsa' | 'rsa1024' = 'p256'): TestKey {
  const { publicKey, privateKey } = generate(kind)
  return {
    pem: Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })),
    privateKey,
    cosign: (payload) => ({ form: 'cosign', place: 'test', payload, annotations: { signature: signWith(privateKey, payload).toString('base64') } }),
  }
}

export function signWith(key: KeyObject, bytes: Uint8Array): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key)
}

function generate(kind: 'p256' | 'p384' | 'ed25519' | 'rsa' | 'rsa1024'): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  switch (kind) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 'ed25519':
      return generateKeyPairSync('ed25519')
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
    case 'rsa1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 })
  }
}

function document(json: { readonly mediaType: string; readonly [field: string]: unknown }): OciDocument {
  const bytes = Buffer.from(JSON.stringify(json))
  return { mediaType: json.mediaType, digest: sha256(bytes), bytes }
}

function sha256(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
}
