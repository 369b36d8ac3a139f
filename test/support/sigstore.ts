import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock'
import type { RawSignature } from '../../src/spec/index.ts'

/** A whole Sigstore of the test's own: authority, certificate log, transparency log, and a clock that signs. */
export interface TestSigstore {
  /** JSON for `--trust-root`. */
  readonly trustRoot: Buffer
  /** Signs bytes as a message. */
  message(bytes: Uint8Array, who?: Who): Promise<BundleJson>
  /** Signs a statement in an envelope. */
  envelope(statement: object, who?: Who): Promise<BundleJson>
  /** Signs a payload in cosign's older form. */
  cosign(payload: Uint8Array, who?: Who): Promise<RawSignature & { readonly form: 'cosign' }>
}

export interface Who {
  readonly subject?: string
  readonly issuer?: string
  /** When the entry is logged, unless now. */
  readonly loggedAt?: Date
}

/** A bundle that a test may change before it is read. */
export interface BundleJson {
  mediaType: string
  verificationMaterial: {
    certificate?: { rawBytes: string }
    publicKey?: { hint: string }
    tlogEntries: TlogEntry[]
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] }
  }
  messageSignature?: { messageDigest: { algorithm: string; digest: string }; signature: string }
  dsseEnvelope?: { payload: string; payloadType: string; signatures: { sig: string; keyid: string }[] }
}

export interface TlogEntry {
  logIndex: string
  logId: { keyId: string }
  kindVersion: { kind: string; version: string }
  integratedTime: string
  inclusionPromise?: { signedEntryTimestamp: string }
  inclusionProof?: { logIndex: string; rootHash: string; treeSize: string; hashes: string[]; checkpoint: { envelope: string } }
  canonicalizedBody: string
}

export const someone = { subject: 'https://example.com/workflow@refs/heads/main', issuer: 'https://issuer.example.com' } as const

const rekor = 'https://rekor.example.com'
const year = 365 * 86_400_000

/** Makes a Sigstore that began a year ago. */
export async function makeSigstore(): Promise<TestSigstore> {
  const keys = { ca: pair('P-384'), ct: pair(), log: pair(), tsa: pair() }
  const ct = await initializeCTLog(keys.ct)
  const root = await initializeCA(keys.ca, ct)
  const tsa = await initializeTSA(keys.tsa)
  const start = new Date(Date.now() - year).toISOString()
  const authority = (certificates: readonly unknown[]): object => ({ subject: { organization: 'test', commonName: 'test' }, uri: 'https://ca.example.com', certChain: { certificates: certificates.map((one) => ({ rawBytes: base64(one) })) }, validFor: { start } })
  const trustRoot = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log(rekor, { key: keys.log.publicKey, start })],
    ctlogs: [log('https://ct.example.com', { key: keys.ct.publicKey, start })],
    certificateAuthorities: [authority([root.rootCertificate])],
    timestampAuthorities: [authority([tsa.intCertificate, tsa.rootCertificate])],
  }
  const certify = async (key: KeyObject, { subject = someone.subject, issuer = someone.issuer }: Who): Promise<Buffer> => {
    const der = await root.issueCertificate({ publicKey: key.export({ format: 'der', type: 'spki' }), subjectAltName: subject, extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: issuer }] })
    return Buffer.from(der.buffer, der.byteOffset, der.byteLength)
  }
  const entry = async (proposed: { readonly kind: string }, { loggedAt }: Who): Promise<TlogEntry> => {
    const tlog = await initializeTLog(rekor, keys.log, loggedAt)
    const [made] = Object.values(await tlog.log(proposed))
    return tlogEntry(made, proposed.kind)
  }
  const finish = async (bytes: Uint8Array, { who, content }: { readonly who: Who; readonly content: (signature: Buffer, pem: string) => { readonly proposed: { readonly kind: string }; readonly fields: object } }): Promise<BundleJson> => {
    const { publicKey, privateKey } = pair()
    const certificate = await certify(publicKey, who)
    const signature = sign('sha256', bytes, privateKey)
    const pem = Buffer.from(`-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`).toString('base64')
    const { proposed, fields } = content(signature, pem)
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { certificate: { rawBytes: certificate.toString('base64') }, tlogEntries: [await entry(proposed, who)], timestampVerificationData: { rfc3161Timestamps: [] } },
      ...fields,
    }
  }
  const message = (bytes: Uint8Array, who: Who = {}): Promise<BundleJson> =>
    finish(bytes, {
      who,
      content: (signature, pem) => ({
        proposed: { apiVersion: '0.0.1', kind: 'hashedrekord', spec: { data: { hash: { algorithm: 'sha256', value: hash(bytes).toString('hex') } }, signature: { content: signature.toString('base64'), publicKey: { content: pem } } } } as { readonly kind: string },
        fields: { messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: hash(bytes).toString('base64') }, signature: signature.toString('base64') } },
      }),
    })
  return {
    trustRoot: Buffer.from(JSON.stringify(trustRoot)),
    message,
    envelope: (statement, who = {}) => {
      const payload = Buffer.from(JSON.stringify(statement))
      const type = 'application/vnd.in-toto+json'
      return finish(Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.byteLength} `), payload]), {
        who,
        content: (signature, pem) => ({
          proposed: { apiVersion: '0.0.1', kind: 'dsse', spec: { payloadHash: { algorithm: 'sha256', value: hash(payload).toString('hex') }, signatures: [{ signature: signature.toString('base64'), verifier: pem }] } } as { readonly kind: string },
          fields: { dsseEnvelope: { payload: payload.toString('base64'), payloadType: type, signatures: [{ sig: signature.toString('base64'), keyid: '' }] } },
        }),
      })
    },
    cosign: async (payload, who = {}) => {
      const { verificationMaterial: material, messageSignature } = await message(payload, who)
      const [one] = material.tlogEntries
      const proof = { SignedEntryTimestamp: one?.inclusionPromise?.signedEntryTimestamp, Payload: { body: one?.canonicalizedBody, integratedTime: Number(one?.integratedTime), logIndex: Number(one?.logIndex), logID: Buffer.from(one?.logId.keyId ?? '', 'base64').toString('hex') } }
      const certificate = `-----BEGIN CERTIFICATE-----\n${(material.certificate?.rawBytes ?? '').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
      return { form: 'cosign', place: 'test', payload, annotations: { signature: messageSignature?.signature ?? '', certificate, bundle: JSON.stringify(proof) } }
    },
  }
}

/** A bundle as a source finds it. */
export function rawBundle(bundle: BundleJson): RawSignature {
  return { form: 'bundle', place: 'test', bytes: Buffer.from(JSON.stringify(bundle)) }
}

type KeyPair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

function pair(namedCurve = 'P-256'): KeyPair {
  return generateKeyPairSync('ec', { namedCurve })
}

function log(baseUrl: string, { key, start }: { readonly key: KeyObject; readonly start: string }): object {
  const der = key.export({ format: 'der', type: 'spki' })
  return { baseUrl, hashAlgorithm: 'SHA2_256', publicKey: { rawBytes: der.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: { start } }, logId: { keyId: hash(der).toString('base64') } }
}

/** What the log's server answers, in the form of bundles. */
function tlogEntry(made: unknown, kind: string): TlogEntry {
  // SAFETY: the mock answers in the form of Rekor's interface, version 1.
  const { body, integratedTime, logID, logIndex, verification } = made as { body: string; integratedTime: number; logID: string; logIndex: number; verification: { signedEntryTimestamp: string; inclusionProof: { logIndex: number; rootHash: string; treeSize: number; hashes: string[]; checkpoint: string } } }
  const { inclusionProof: proof, signedEntryTimestamp } = verification
  return {
    logIndex: `${logIndex}`,
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind, version: '0.0.1' },
    integratedTime: `${integratedTime}`,
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: { logIndex: `${proof.logIndex}`, rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'), treeSize: `${proof.treeSize}`, hashes: [], checkpoint: { envelope: proof.checkpoint } },
    canonicalizedBody: body,
  }
}

function hash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function base64(bytes: unknown): string {
  if (!ArrayBuffer.isView(bytes)) throw new Error('the mock made no certificate')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
