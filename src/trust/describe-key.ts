import type { Key } from 'openpgp'
import { RktError } from '../base/index.ts'
import { bindingOf, type AtTime } from './key-signatures.ts'
import { weakness } from './key-strength.ts'
import { certifiedIdentities, isKeyFault, judgeKey } from './key-validity.ts'
import { loadOpenPGP } from './openpgp-policy.ts'
import { readPublicKeys, type PublicKey } from './public-key.ts'

/** What a person compares before trusting a key. */
export interface KeyDescription {
  readonly fingerprint: string
  /** Of the subkeys that the key has bound to itself. */
  readonly subkeys: readonly string[]
  /** Identities that the key certifies itself, as written, unescaped. */
  readonly identities: readonly string[]
  /** What makes the key useless as it is: revoked, expired, not for signing. */
  readonly warnings: readonly string[]
}

export interface DescribeOptions {
  /** Where the keys come from, for messages. */
  readonly what: string
  readonly now: Date
}

/**
 * Describes every key of a file; what the key does not certify itself is left out.
 *
 * @throws RktError `key-invalid` when it is no public key, or one that is too weak to be trusted at all; `limit-exceeded`.
 */
export async function describeKeys(bytes: Uint8Array, options: DescribeOptions): Promise<KeyDescription[]> {
  return await Promise.all(readPublicKeys(bytes, options.what).map(async (key) => await describeKey(key, options)))
}

/** As `describeKeys`, for one key that is cut out already. */
export async function describeKey({ bytes, fingerprint }: PublicKey, { what, now }: DescribeOptions): Promise<KeyDescription> {
  const pgp = await loadOpenPGP()
  const key = await pgp.openpgp.readKey({ binaryKey: bytes, config: pgp.config }).catch((cause: unknown) => {
    throw new RktError('key-invalid', `cannot use key ${fingerprint} of ${what}: not a key that can be read`, { cause })
  })
  const weak = weakness(key)
  if (weak !== undefined) throw new RktError('key-invalid', `cannot use key ${fingerprint} of ${what}: ${weak}`)
  const identities = await certifiedIdentities(key, { pgp, now })
  if (identities.length === 0) throw new RktError('key-invalid', `cannot use key ${fingerprint} of ${what}: no identity with a valid self-signature`)
  const subkeys: string[] = []
  for (const subkey of key.subkeys) {
    if ((await bindingOf(key, subkey, { pgp, now })) !== undefined) subkeys.push(subkey.getFingerprint())
  }
  return { fingerprint, subkeys, identities, warnings: await warnings(key, { pgp, now }) }
}

/** Storing a revoked key is how a revocation is made known, so this is said, not refused. */
async function warnings(key: Key, { pgp, now }: AtTime): Promise<string[]> {
  const states: string[] = []
  for (const component of [key, ...key.subkeys]) {
    const outcome = await judgeKey(key, component, { pgp, now, signedAt: now })
    if (!isKeyFault(outcome)) return []
    states.push(outcome.state)
  }
  return states.slice(0, 1).map((state) => `signatures of this key are refused: ${state}`)
}
