import type { Key, SignaturePacket, Subkey, User } from 'openpgp'
import type { OpenPGPWithPolicy } from './openpgp-policy.ts'

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

export interface JudgeOptions {
  readonly pgp: OpenPGPWithPolicy
  readonly now: Date
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
    if (isSigning(flags) && !(await hasBackSignature(key, component, { binding, options }))) {
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

/** What is wrong with the kind of a key; undefined when it is strong enough. */
export function weakness(key: Key | Subkey): string | undefined {
  const { algorithm, bits, curve } = key.getAlgorithmInfo()
  switch (algorithm) {
    case 'rsaEncryptSign':
    case 'rsaSign':
    case 'rsaEncrypt':
      return bits !== undefined && bits >= 2048 ? undefined : `RSA key of ${bits ?? 0} bits; expected at least 2048`
    case 'ecdsa':
      return curve === 'nistP256' || curve === 'nistP384' || curve === 'nistP521' ? undefined : `ECDSA key on curve ${curve ?? 'unknown'}; expected a NIST curve`
    case 'eddsaLegacy':
    case 'ed25519':
      return undefined
    default:
      return `${algorithm} key; expected RSA, ECDSA or Ed25519`
  }
}

/**
 * A revocation by the key itself that counts against this signature. Retired and superseded keys were never in wrong hands, so
 * what they signed before stays good; any other reason, or none, counts from the beginning.
 */
async function revocation(key: Key, component: Key | Subkey, options: JudgeOptions): Promise<string | undefined> {
  const { enums } = options.pgp.openpgp
  // Whoever revokes means it: neither a weak hash nor a critical extra lets a revocation lapse.
  const pgp = { ...options.pgp, config: { ...options.pgp.config, rejectHashAlgorithms: new Set<never>() } }
  const onKey = key.revocationSignatures.map((packet) => ({ packet, type: enums.signature.keyRevocation, over: { key: key.keyPacket } as object }))
  const onSubkey =
    component === key ? [] : component.revocationSignatures.map((packet) => ({ packet, type: enums.signature.subkeyRevocation, over: { key: key.keyPacket, bind: component.keyPacket } }))
  for (const { packet, type, over } of [...onKey, ...onSubkey]) {
    packet.unknownSubpackets = []
    packet.rawNotations = []
    if (!(await holds(packet, { key, type, over, date: null, pgp }))) continue
    const reason = packet.reasonForRevocationFlag
    const soft = reason === enums.reasonForRevocation.keyRetired || reason === enums.reasonForRevocation.keySuperseded
    if (!soft) return `the key is revoked${reason === enums.reasonForRevocation.keyCompromised ? ' (compromised)' : ''}`
    if (packet.created === null || packet.created <= options.signedAt) return 'the signature was made after the key was retired'
  }
  return undefined
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
export async function certifiedIdentities(key: Key, { pgp, now }: Pick<JudgeOptions, 'pgp' | 'now'>): Promise<string[]> {
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

/** The newest valid signature directly on the key, which may bound its life as a self-signature does. */
async function directSignature(key: Key, options: JudgeOptions): Promise<SignaturePacket | undefined> {
  const { SignaturePacket, enums } = options.pgp.openpgp
  // The library's types leave out this list, in which it keeps signatures directly on the key.
  const listed: unknown = 'directSignatures' in key ? key.directSignatures : []
  const packets = (Array.isArray(listed) ? listed : []).filter((packet) => packet instanceof SignaturePacket)
  return await newestValid(packets, { key, type: enums.signature.key, over: { key: key.keyPacket }, date: options.now, pgp: options.pgp })
}

/** The newest valid binding of a subkey. */
export async function bindingOf(key: Key, subkey: Subkey, options: Pick<JudgeOptions, 'pgp' | 'now'>): Promise<SignaturePacket | undefined> {
  const type = options.pgp.openpgp.enums.signature.subkeyBinding
  const over = { key: key.keyPacket, bind: subkey.keyPacket }
  return await newestValid(subkey.bindingSignatures, { key, type, over, date: options.now, pgp: options.pgp })
}

async function newestValid(packets: readonly SignaturePacket[], options: HoldsOptions): Promise<SignaturePacket | undefined> {
  let newest: SignaturePacket | undefined
  for (const packet of packets) {
    if (!(await holds(packet, options))) continue
    if (newest === undefined || (packet.created ?? 0) >= (newest.created ?? 0)) newest = packet
  }
  return newest
}

/** Attack: without its own signature, anyone can adopt another's signing subkey and claim what it signed. */
async function hasBackSignature(key: Key, subkey: Subkey, { binding, options }: { readonly binding: SignaturePacket; readonly options: JudgeOptions }): Promise<boolean> {
  if (binding.embeddedSignature === null) return false
  const type = options.pgp.openpgp.enums.signature.keyBinding
  return await holds(binding.embeddedSignature, { key: subkey, type, over: { key: key.keyPacket, bind: subkey.keyPacket }, date: options.now, pgp: options.pgp })
}

interface HoldsOptions {
  readonly key: Key | Subkey
  readonly type: SignaturePacket['signatureType']
  readonly over: object
  /** Null: at whatever time. */
  readonly date: Date | null
  readonly pgp: OpenPGPWithPolicy
}

/** Whether a signature inside a key was made by `key` over these parts, under the policy. */
async function holds(packet: SignaturePacket, { key, type, over, date, pgp }: HoldsOptions): Promise<boolean> {
  if (packet.signatureType !== type || type === null) return false
  try {
    // SAFETY: the library takes null for "no date" (it does so itself for revocations); its types leave that out.
    await packet.verify(key.keyPacket, type, over, date as Date, false, pgp.config)
    return true
  } catch {
    // A signature inside the key that does not hold is as if it were not there.
    return false
  }
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
