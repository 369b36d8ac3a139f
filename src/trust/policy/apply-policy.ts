import { quote, RktError } from '../../base/index.ts'
import type { ACIdentifier } from '../../spec/index.ts'
import type { Signer } from '../signer.ts'
import { signCommand, trustCommand, wantedKind } from '../trust-hint.ts'
import type { NameSource } from '../verdict.ts'
import { isAtLeast } from './compare-versions.ts'
import type { Policy } from './policy.ts'

export interface PolicyFacts {
  readonly name: ACIdentifier
  readonly nameSource: NameSource
  /** Version of the image, as far as a signature covers it. */
  readonly version: string | undefined
  readonly now: Date
  /** How commands call an OCI image where it comes from. */
  readonly image?: string | undefined
}

/** Signers that fulfil a policy together, and until when they do at most. */
export interface Approval {
  /** Distinct ones, as many as the policy asks for: those whose word holds longest. */
  readonly signers: readonly [Signer, ...Signer[]]
  readonly expiresAtMs: number
}

const dayMs = 86_400_000

/**
 * Asks a policy whether these signers, who are trusted for the name, are enough.
 *
 * @throws RktError `policy-refused` with the file, what it asks for, and the command that would fulfil it.
 */
export function applyPolicy(policy: Policy, trusted: readonly Signer[], facts: PolicyFacts): Approval {
  if (policy.selfDeclaredNames === 'refuse' && facts.nameSource === 'self-declared') {
    throw refused(policy, facts, { state: 'it says its name itself', wanted: 'an image that was asked for by name', hint: `rkt fetch ${facts.name}` })
  }
  checkVersion(policy, facts)
  const counted = distinct(trusted.filter((signer) => counts(signer, policy, facts))).sort((a, b) => later(endOf(a, policy), endOf(b, policy)))
  const [first, ...others] = counted
  if (first === undefined || counted.length < policy.threshold) throw tooFew(policy, { trusted, counted, facts })
  const signers = [first, ...others.slice(0, policy.threshold - 1)] as const
  return { signers, expiresAtMs: Math.min(...signers.map((signer) => endOf(signer, policy))) }
}

/**
 * Refuses an image without a signature where an administrator locked the policy.
 *
 * @throws RktError `policy-refused`.
 */
export function checkLock(policy: Policy, name: ACIdentifier): void {
  if (policy.lockedBy === undefined) return
  throw new RktError('policy-refused', `cannot use image ${quote(name)} without a signature: policy ${quote(policy.lockedBy)} is locked, and --insecure-options=image does not pass it`, {
    hint: `run the command without --insecure-options=image, with a key that is trusted for the image: rkt trust --prefix=${name} KEYFILE`,
  })
}

function checkVersion(policy: Policy, facts: PolicyFacts): void {
  const { minVersion } = policy
  if (minVersion === undefined || (facts.version !== undefined && isAtLeast(facts.version, minVersion))) return
  const state = facts.version === undefined ? 'no signature covers a version of it' : `it is version ${quote(facts.version)}`
  throw refused(policy, facts, { state, wanted: `version ${minVersion} or later`, hint: `fetch a newer image: rkt fetch --pull-policy=update ${facts.name}` })
}

function counts(signer: Signer, policy: Policy, { now }: PolicyFacts): boolean {
  if (policy.kinds !== undefined && !policy.kinds.includes(signer.kind)) return false
  if (policy.signers !== undefined && !policy.signers.includes(signer.key.id)) return false
  return endOf(signer, policy) > now.getTime()
}

/** When a signer's word ends under the policy; a signature without a date is as old as can be. */
function endOf({ signedAt, expiresAtMs }: Signer, { maxAgeDays }: Policy): number {
  if (maxAgeDays === undefined) return expiresAtMs
  return signedAt === undefined ? -Infinity : Math.min(expiresAtMs, signedAt.getTime() + maxAgeDays * dayMs)
}

/** One signature of each signer, the one that ends last. */
function distinct(signers: readonly Signer[]): Signer[] {
  const best = new Map<string, Signer>()
  for (const signer of signers) {
    const other = best.get(signer.key.id)
    if (other === undefined || other.expiresAtMs < signer.expiresAtMs) best.set(signer.key.id, signer)
  }
  return [...best.values()]
}

/** Order from late to early; two that never end are equal. */
function later(a: number, b: number): number {
  return a === b ? 0 : a > b ? -1 : 1
}

interface TooFew {
  readonly trusted: readonly Signer[]
  readonly counted: readonly Signer[]
  readonly facts: PolicyFacts
}

function tooFew(policy: Policy, { trusted, counted, facts }: TooFew): RktError {
  const { threshold, signers, kinds, maxAgeDays } = policy
  const old = maxAgeDays !== undefined && trusted.some((signer) => endOf(signer, policy) <= facts.now.getTime())
  const kept = [...new Set(trusted.map(({ key, kind }) => `${key.id} (${kind})`))].join(', ')
  const state = `${counted.length} of ${threshold} needed signers count${kept === '' ? '' : `; it is signed by ${kept}`}`
  const wanted = [
    signers === undefined ? 'signatures of different keys that are trusted for it' : `signatures of ${signers.join(', ')}`,
    ...(kinds === undefined ? [] : [`of kind ${kinds.join(' or ')}`]),
    ...(maxAgeDays === undefined ? [] : [`not older than ${maxAgeDays} days${old ? ' (one is older, or has no date)' : ''}`]),
  ].join(', ')
  const signer = signers?.find((id) => !counted.some(({ key }) => key.id === id))
  const kind = wantedKind(kinds, signer)
  const { name, image } = facts
  return refused(policy, facts, { state, wanted, hint: `have it signed: ${signCommand({ image, name, kind, signer: signer ?? 'KEY' })}; then trust the key: ${trustCommand({ name, signer: kind })}` })
}

function refused({ path }: Policy, { name }: PolicyFacts, { state, wanted, hint }: { readonly state: string; readonly wanted: string; readonly hint: string }): RktError {
  const rule = path === undefined ? 'the built-in policy' : `policy ${quote(path)}`
  return new RktError('policy-refused', `cannot use image ${quote(name)}: ${rule} refuses it: ${state}; expected ${wanted}`, { hint })
}
