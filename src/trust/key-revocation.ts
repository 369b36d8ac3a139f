import type { Key, Subkey } from 'openpgp'
import { directSignatures, holds } from './key-signatures.ts'
import type { OpenPGPWithPolicy } from './openpgp-policy.ts'

export interface RevocationOptions {
  readonly pgp: OpenPGPWithPolicy
  /** When the signature in question says it was made. */
  readonly signedAt: Date
}

/**
 * A revocation by the key itself that counts against this signature. Retired and superseded keys were never in wrong hands, so
 * what they signed before stays good; any other reason, or none, counts from the beginning. Undefined when there is none.
 */
export async function revocation(key: Key, component: Key | Subkey, options: RevocationOptions): Promise<string | undefined> {
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
  return isRevokedByOther(key, options) ? 'the key is revoked by another key that it names for this' : undefined
}

/** The other key is not at hand to check with; on a key that names one, such a revocation is believed. */
function isRevokedByOther(key: Key, { pgp }: RevocationOptions): boolean {
  const own = [...directSignatures(key, pgp), ...key.users.flatMap(({ selfCertifications }) => selfCertifications)]
  return own.some(({ revocationKeyClass }) => revocationKeyClass !== null) && key.revocationSignatures.some(({ issuerKeyID }) => !issuerKeyID.equals(key.getKeyID()))
}
