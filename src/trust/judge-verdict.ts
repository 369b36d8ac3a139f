import { quote, RktError, shellWord } from '../base/index.ts'
import type { ACIdentifier } from '../spec/index.ts'
import type { Keystore } from './keystore.ts'
import { checkLock } from './policy/apply-policy.ts'
import { isImageArchive, orOnce, signCommand, trustCommand, trustHint, wantedKind, type SignCommandOptions } from './trust-hint.ts'
import type { Verdict } from './verdict.ts'

export interface JudgeVerdictOptions {
  /** Name of the image whose record holds the verdict. */
  readonly name: ACIdentifier
  readonly keystore: Keystore
  readonly now: Date
  readonly insecure: { readonly image: boolean }
  /** How commands call an OCI image where it comes from. */
  readonly image?: string
}

/**
 * Judges at every run whether a stored verdict still stands; reads the few key files that concern the name and the policies, and never
 * a library. `reverify` asks for a new check of the stored bytes and signature, since a key, a mask, a policy or the time changed.
 *
 * @throws RktError `signature-missing` for an image that was let in without a check and is now asked for with one; `policy-refused`
 * where an administrator allows no image without one; `invalid-config` for a policy that cannot be read.
 */
export function judgeVerdict(verdict: Verdict, { name, keystore, now, insecure, image }: JudgeVerdictOptions): 'ok' | 'reverify' {
  if (insecure.image) {
    const policy = keystore.policies.policyFor(name)
    if (verdict.kind === 'waived') checkLock(policy, name)
    if (policy.lockedBy === undefined) return 'ok'
  }
  if (verdict.kind === 'waived') throw signatureMissing(name, { state: `it was stored with ${verdict.reason} and nobody vouches for it`, name, image, keystore })
  if (verdict.expiresAt !== undefined && Date.parse(verdict.expiresAt) <= now.getTime()) return 'reverify'
  // A clock that went back may have passed the beginning of the signature.
  if (verdict.signedAt !== undefined && Date.parse(verdict.signedAt) > now.getTime()) return 'reverify'
  return keystore.stateFor(name) === verdict.trustState ? 'ok' : 'reverify'
}

export interface SignatureMissingOptions {
  readonly state: string
  readonly name: ACIdentifier
  /** How commands call an OCI image where it comes from; undefined for an ACI. */
  readonly image: string | undefined
  readonly keystore: Keystore
}

/** The refusal of an image that has no signature at all. */
export function signatureMissing(object: string, { state, name, image, keystore }: SignatureMissingOptions): RktError {
  const { lockedBy, kinds, signers } = keystore.policies.policyFor(name)
  const isLocked = lockedBy !== undefined
  return new RktError('signature-missing', `cannot use image ${quote(object)}: ${state}; expected a signature by a trusted key`, {
    hint:
      image === undefined
        ? `fetch it again with its signature (--signature=FILE.asc), then ${trustHint({ name, isLocked })}`
        : `${ociSteps({ image, name, kind: wantedKind(kinds, signers?.[0]), signer: signers?.[0] })}${orOnce(isLocked)}`,
  })
}

/** What gets an OCI image in, in the order in which it is done. Nothing can be put into an archive. */
function ociSteps(signing: SignCommandOptions & { readonly image: string }): string {
  const { image, name, kind } = signing
  const isArchive = isImageArchive(image)
  const trust = `trust its key with: ${trustCommand({ name, signer: kind })}`
  return [...(isArchive ? [] : [`have it signed: ${signCommand(signing)}`]), trust, `fetch it: ${isArchive ? signCommand(signing) : `rkt fetch ${shellWord(image)}`}`].join('; ')
}
