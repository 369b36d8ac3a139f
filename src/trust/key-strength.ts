import type { Key, Subkey } from 'openpgp'

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
