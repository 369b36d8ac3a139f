import { quote, RktError } from '../base/index.ts'
import type { ACIdentifier } from '../spec/index.ts'
import type { Keystore } from './keystore.ts'
import { checkLock } from './policy/apply-policy.ts'
import { trustHint } from './trust-hint.ts'
import type { Verdict } from './verdict.ts'

export interface JudgeVerdictOptions {
  /** Name of the image whose record holds the verdict. */
  readonly name: ACIdentifier
  readonly keystore: Keystore
  readonly now: Date
  readonly insecure: { readonly image: boolean }
}

/**
 * Judges at every run whether a stored verdict still stands; reads the few key files that concern the name and the policies, and never
 * a library. `reverify` asks for a new check of the stored bytes and signature, since a key, a mask, a policy or the time changed.
 *
 * @throws RktError `signature-missing` for an image that was let in without a check and is now asked for with one; `policy-refused`
 * where an administrator allows no image without one; `invalid-config` for a policy that cannot be read.
 */
export function judgeVerdict(verdict: Verdict, { name, keystore, now, insecure }: JudgeVerdictOptions): 'ok' | 'reverify' {
  if (insecure.image) {
    const policy = keystore.policies.policyFor(name)
    if (verdict.kind === 'waived') checkLock(policy, name)
    if (policy.lockedBy === undefined) return 'ok'
  }
  if (verdict.kind === 'waived') throw signatureMissing(name, { state: `it was stored with ${verdict.reason} and nobody vouches for it`, name })
  if (verdict.expiresAt !== undefined && Date.parse(verdict.expiresAt) <= now.getTime()) return 'reverify'
  // A clock that went back may have passed the beginning of the signature.
  if (verdict.signedAt !== undefined && Date.parse(verdict.signedAt) > now.getTime()) return 'reverify'
  return keystore.stateFor(name) === verdict.trustState ? 'ok' : 'reverify'
}

/** The refusal of an image that has no signature at all. */
export function signatureMissing(object: string, { state, name }: { readonly state: string; readonly name?: ACIdentifier }): RktError {
  return new RktError('signature-missing', `cannot use image ${quote(object)}: ${state}; expected a signature by a trusted key`, {
    hint: `fetch it again with its signature (--signature=FILE.asc), then ${trustHint({ name })}`,
  })
}
