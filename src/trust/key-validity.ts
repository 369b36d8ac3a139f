import type { Key, SignaturePacket, Subkey, User } from 'openpgp'
import { revocation } from './key-revocation.ts'
import { bindingOf, directSignature, hasBackSignature, type AtTime } from './key-signatures.ts'
import { weakness } from './key-strength.ts'

/** Why a key may not sign, as a state that a message can end with. */
export interface KeyFault {
  readonly code: 'key-invalid' | 'key-expired' | 'key-revoked'
  readonly state: string
}

/** A key that was good for a signature, and until when it is at most. */
export interface ValidKey {
  readonly identities: readonly string[]
  readonly expiresAtMs: number
}

export interface JudgeOptions extends AtTime {
  readonly signedAt: Date
}

const signFlag = 0x02

/**
 * Judges whether `component` (the primary key or one of its subkeys) may have made a signature at `signedAt`, seen from `now`.
 *
 * Self-signatures and bindings are those valid now, as GnuPG does it, because renewing a key replaces them. `specs/trust.md` has
 * the table of outcomes.
 */
export async function judgeKey(key: Key, component: Key | Subkey, options: JudgeOptions): Promise<ValidKey | KeyFault> {
  const weak = weakness(key) ?? (component === key ? undefined : weakness(component))
  if (weak !== undefined) return { code: 'key-invalid', state: weak }
  for (const part of new Set([key, component])) {
    if (part.getCreationTime() > options.signedAt) return { code: 'key-invalid', state: 'the signature is older than the key' }
  }
  const revoked = await revocation(key, component, options)
  if (revoked !== undefined) return { code: 'key-revoked', state: revoked }

  const self = await selfSignature(key, options)
  if (self === undefined) return { code: 'key-invalid', state: 'the key has no valid self-signature of an identity' }
  const direct = await directSignature(key, options)
  const expiries = [expiry(key, self.certification), direct === undefined ? Infinity : expiry(key, direct)]
  let flags = self.certification.keyFlags
  if (component !== key && 'mainKey' in component) {
    const binding = await bindingOf(key, component, options)
    if (binding === undefined) return { code: 'key-invalid', state: 'the subkey is not bound to its primary key' }
    flags = binding.keyFlags
    expiries.push(expiry(component, binding))
    if (isSigning(flags) && !(await hasBackSignature(key, component, { ...options, binding }))) {
      return { code: 'key-invalid', state: 'the subkey has not signed its primary key (no back-signature)' }
    }
  }
  if (!isSigning(flags)) return { code: 'key-invalid', state: 'the key is not meant for signing' }
  const expiresAtMs = Math.min(...expiries)
  if (expiresAtMs <= options.signedAt.getTime()) return { code: 'key-expired', state: `the signature was made after the key expired on ${dateText(expiresAtMs)}` }
  if (expiresAtMs <= options.now.getTime()) return { code: 'key-expired', state: `the key expired on ${dateText(expiresAtMs)}` }
  return { identities: self.identities, expiresAtMs }
}

/** Whether judging a key gave a fault. */
export function isKeyFault(outcome: ValidKey | KeyFault): outcome is KeyFault {
  return 'code' in outcome
}

interface SelfSignature {
  readonly certification: SignaturePacket
  /** Every identity that the key itself certifies now, the primary one first. */
  readonly identities: readonly string[]
}

async function selfSignature(key: Key, options: JudgeOptions): Promise<SelfSignature | undefined> {
  try {
    const { user, selfCertification } = await key.getPrimaryUser(options.now, undefined, options.pgp.config)
    const identities = await certifiedIdentities(key, options)
    const primary = identityOf(user)
    return { certification: selfCertification, identities: [...new Set([...(primary === undefined ? [] : [primary]), ...identities])] }
  } catch {
    // The library says only in words why no identity is certified; none is.
    return undefined
  }
}

/** Identities that the key itself certifies at `now`, without revoked ones. */
export async function certifiedIdentities(key: Key, { pgp, now }: AtTime): Promise<string[]> {
  const identities: string[] = []
  for (const user of key.users) {
    const identity = identityOf(user)
    if (identity === undefined) continue
    try {
      await user.verify(now, pgp.config)
      identities.push(identity)
    } catch {
      // Not certified, or no longer: not shown as who signed.
    }
  }
  return identities
}

function identityOf(user: User): string | undefined {
  return user.userID?.userID
}

/** When the key ends by this self-signature or binding, in milliseconds; Infinity for never. */
function expiry(part: Key | Subkey, signature: SignaturePacket): number {
  const created = part.getCreationTime().getTime()
  const seconds = signature.keyExpirationTime
  return Math.min(seconds === null || seconds === 0 ? Infinity : created + seconds * 1000, Number(signature.getExpirationTime()))
}

function isSigning(flags: Uint8Array | null): boolean {
  return flags !== null && ((flags[0] ?? 0) & signFlag) !== 0
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
