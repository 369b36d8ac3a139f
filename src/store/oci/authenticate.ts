import { resolve } from 'node:path'
import { reveal } from '../../base/index.ts'
import { findSignatures, readSignatureFile, receiveSignature, type OciSource, type ResolvedImage } from '../../fetch/index.ts'
import { rawSignature, type OciImage, type RawSignature } from '../../spec/index.ts'
import { authorize, formatEvidence, verifyOciImage, waive, type Verified } from '../../trust/index.ts'
import type { AcquireOptions, AcquiringOptions } from '../acquire.ts'
import { signatureLater } from '../find-signature.ts'
import { httpOptions } from '../http-options.ts'

/** An image that may be stored, and all of which its verdict can be made again. */
export interface Authentic {
  readonly verified: Verified<OciImage>
  /** Undefined for an image that was let in without a signature. */
  readonly evidence: string | undefined
}

/**
 * Looks for the signatures of an image and asks who is trusted for its name; nothing but manifests was received until now.
 *
 * @throws RktError of trust.
 */
export async function authenticate(source: OciSource, resolved: ResolvedImage, options: AcquiringOptions & { readonly image: string }): Promise<Authentic> {
  const { insecure, keystore, now, log, lookaside } = options
  const { image, name, reference, fullName, digests } = resolved
  const nameSource = options.expect === undefined ? resolved.nameSource : 'requested'
  if (insecure.image) {
    log.notice('image', 'warning: image signature verification has been disabled')
    return { verified: authorize(waive(image, { reason: '--insecure-options=image', now }), { name, nameSource, keystore, now }), evidence: undefined }
  }
  const given = await givenSignature(options)
  const found = await findSignatures(source, { digests, fullName, http: httpOptions(options), ...(lookaside === undefined ? {} : { lookaside }) })
  const signatures = [...given, ...found]
  const verified = await verifyOciImage(image, { signatures, name, nameSource, reference, image: options.image, keystore, now })
  log.debug('image', 'signature verified:')
  if (verified.verdict.kind === 'signed') for (const identity of verified.verdict.signerIdentities) log.debug('image', `  ${identity}`)
  return { verified, evidence: formatEvidence({ chain: reveal(image, 'check signature').chain, reference, signatures }) }
}

/** The file or URL of `--signature`. */
async function givenSignature(options: AcquireOptions): Promise<readonly RawSignature[]> {
  const place = options.signaturePath
  if (place === undefined) return []
  if (!/^https?:\/\//.test(place)) return [rawSignature(await readSignatureFile(resolve(options.cwd, place)), place)]
  const answer = await receiveSignature(place, httpOptions(options))
  if (answer.kind !== 'bytes') throw signatureLater()
  return [rawSignature(answer.bytes, place)]
}
