import { createHash } from 'node:crypto'
import { RktError } from '../../base/index.ts'
import type { CosignAnnotations } from '../../spec/index.ts'
import { isJsonObject, parseSignatureJson } from '../json-object.ts'

const proofJson = { what: "the signature's proof", maxDepth: 16 } as const

const certificatePattern = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/

/**
 * The bundle of a cosign signature with a certificate, put together of its annotations: certificate, and the promise of the
 * transparency log. SPEC: cosign specs/SIGNATURE_SPEC.md.
 *
 * @throws RktError `signature-invalid` when there is no promise: without it, nothing tells when the certificate was used.
 */
export function bundleOfAnnotations(payload: Uint8Array, { signature, certificate = '', bundle }: CosignAnnotations): object {
  const der = certificatePattern.exec(certificate.trim())?.[1]?.replace(/[\r\n]/g, '')
  if (der === undefined) throw refused('its certificate is not one in PEM form')
  if (bundle === undefined) throw refused('it has no proof of a transparency log')
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: der }] },
      tlogEntries: [logEntry(bundle)],
      timestampVerificationData: { rfc3161Timestamps: [] },
    },
    messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update(payload).digest('base64') }, signature },
  }
}

function logEntry(text: string): object {
  const json = parseSignatureJson(Buffer.from(text), proofJson)
  const { SignedEntryTimestamp: promise, Payload: entry } = isJsonObject(json) ? json : {}
  if (typeof promise !== 'string' || !isJsonObject(entry)) throw refused('its proof of the transparency log is damaged')
  const { body, integratedTime, logIndex, logID } = entry
  if (typeof body !== 'string' || !isCount(integratedTime) || !isCount(logIndex) || typeof logID !== 'string' || !/^[0-9a-f]{64}$/.test(logID)) {
    throw refused('its proof of the transparency log is damaged')
  }
  const { kind, apiVersion } = kindOf(body)
  return {
    logIndex: `${logIndex}`,
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind, version: apiVersion },
    integratedTime: `${integratedTime}`,
    inclusionPromise: { signedEntryTimestamp: promise },
    canonicalizedBody: body,
  }
}

function kindOf(body: string): { readonly kind: string; readonly apiVersion: string } {
  const json = parseSignatureJson(Buffer.from(body, 'base64'), proofJson)
  const { kind, apiVersion } = isJsonObject(json) ? json : {}
  if (kind !== 'hashedrekord' || typeof apiVersion !== 'string') throw refused('the entry of the transparency log is not about a signature')
  return { kind, apiVersion }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function refused(state: string): RktError {
  return new RktError('signature-invalid', `cannot use the cosign signature: ${state}`)
}
