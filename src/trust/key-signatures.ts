import type { Key, SignaturePacket, Subkey } from 'openpgp'
import type { OpenPGPWithPolicy } from './openpgp-policy.ts'

/** The library, and the instant at which signatures inside keys must be in force. */
export interface AtTime {
  readonly pgp: OpenPGPWithPolicy
  readonly now: Date
}

export interface HoldsOptions {
  readonly key: Key | Subkey
  readonly type: SignaturePacket['signatureType']
  readonly over: object
  /** Null: at whatever time. */
  readonly date: Date | null
  readonly pgp: OpenPGPWithPolicy
}

/** Whether a signature inside a key was made by `key` over these parts, under the policy. */
export async function holds(packet: SignaturePacket, { key, type, over, date, pgp }: HoldsOptions): Promise<boolean> {
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

async function newestValid(packets: readonly SignaturePacket[], options: HoldsOptions): Promise<SignaturePacket | undefined> {
  let newest: SignaturePacket | undefined
  for (const packet of packets) {
    if (!(await holds(packet, options))) continue
    if (newest === undefined || (packet.created ?? 0) >= (newest.created ?? 0)) newest = packet
  }
  return newest
}

/** The newest valid binding of a subkey. */
export async function bindingOf(key: Key, subkey: Subkey, { pgp, now }: AtTime): Promise<SignaturePacket | undefined> {
  const type = pgp.openpgp.enums.signature.subkeyBinding
  const over = { key: key.keyPacket, bind: subkey.keyPacket }
  return await newestValid(subkey.bindingSignatures, { key, type, over, date: now, pgp })
}

/** Attack: without its own signature, anyone can adopt another's signing subkey and claim what it signed. */
export async function hasBackSignature(key: Key, subkey: Subkey, { binding, pgp, now }: AtTime & { readonly binding: SignaturePacket }): Promise<boolean> {
  if (binding.embeddedSignature === null) return false
  const type = pgp.openpgp.enums.signature.keyBinding
  return await holds(binding.embeddedSignature, { key: subkey, type, over: { key: key.keyPacket, bind: subkey.keyPacket }, date: now, pgp })
}

/** The newest valid signature directly on the key, which may bound its life as a self-signature does. */
export async function directSignature(key: Key, { pgp, now }: AtTime): Promise<SignaturePacket | undefined> {
  const type = pgp.openpgp.enums.signature.key
  return await newestValid(directSignatures(key, pgp), { key, type, over: { key: key.keyPacket }, date: now, pgp })
}

/** The library keeps them in a list that its types leave out. */
export function directSignatures(key: Key, { openpgp }: OpenPGPWithPolicy): SignaturePacket[] {
  const listed: unknown = 'directSignatures' in key ? key.directSignatures : []
  return (Array.isArray(listed) ? listed : []).filter((packet) => packet instanceof openpgp.SignaturePacket)
}
