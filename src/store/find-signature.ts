import { resolve } from 'node:path'
import { RktError } from '../base/index.ts'
import { readSignatureFile, receiveSignature, type HashAlgorithm, type SignatureAnswer } from '../fetch/index.ts'
import { readDetachedSignatures } from '../trust/index.ts'
import type { AcquireOptions } from './acquire.ts'
import { httpOptions } from './http-options.ts'

/** A signature that is there, one that the server hands out after the image, or none because the user asked for no check. */
export type FoundSignature = SignatureAnswer | { readonly kind: 'waived' }

/**
 * Gets the signature before the image, so that a missing one costs no download: from `--signature`, or else from `beside`.
 *
 * @throws RktError `signature-missing`, and as the rooms of receiving.
 */
export async function findSignature(beside: string, options: AcquireOptions): Promise<FoundSignature> {
  if (options.insecure.image) {
    options.log.notice('image', 'warning: image signature verification has been disabled')
    return { kind: 'waived' }
  }
  const place = options.signaturePath ?? beside
  if (/^https?:\/\//.test(place)) return receiveSignature(place, httpOptions(options))
  return { kind: 'bytes', bytes: await readSignatureFile(resolve(options.cwd, place)) }
}

/** The signature's bytes once the image is here; undefined when nobody wants one. */
export async function finishSignature(found: FoundSignature, beside: string, options: AcquireOptions): Promise<Uint8Array | undefined> {
  if (found.kind === 'waived') return undefined
  if (found.kind === 'bytes') return found.bytes
  options.log.debug('image', 'server requested deferring the signature download')
  const answer = await findSignature(beside, options)
  if (answer.kind === 'bytes') return answer.bytes
  throw signatureLater()
}

/** The refusal of a signature that the server hands out later. */
export function signatureLater(): RktError {
  return new RktError('signature-missing', 'error downloading the signature file: bad HTTP status code: 202', { hint: 'the server has not signed the image yet: try again later' })
}

/** Which algorithms the content must be hashed with; undefined while the signature is not known. */
export function hashesFor(found: FoundSignature): ReadonlySet<HashAlgorithm> | undefined {
  switch (found.kind) {
    case 'bytes':
      return new Set(readDetachedSignatures(found.bytes).map(({ hash }) => hash))
    case 'waived':
      return new Set()
    case 'deferred':
      return undefined
  }
}
