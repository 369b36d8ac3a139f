import type { Config } from 'openpgp'

type OpenPGP = typeof import('openpgp')

/** The library with the rules under which this room calls it. */
export interface OpenPGPWithPolicy {
  readonly openpgp: OpenPGP
  readonly config: Config
}

/**
 * Loads the library, which costs tens of milliseconds: only a real verification or a key review calls this.
 *
 * Stricter than its defaults: SHA-1 certifies nothing, no notation is known, short RSA and the oldest algorithms are refused.
 */
export async function loadOpenPGP(): Promise<OpenPGPWithPolicy> {
  const openpgp = await import('openpgp')
  const { hash, publicKey } = openpgp.enums
  const weakHashes = new Set([hash.md5, hash.sha1, hash.ripemd])
  return {
    openpgp,
    config: {
      ...openpgp.config,
      minRSABits: 2048,
      knownNotations: [],
      rejectHashAlgorithms: weakHashes,
      rejectMessageHashAlgorithms: weakHashes,
      rejectPublicKeyAlgorithms: new Set([publicKey.elgamal, publicKey.dsa]),
      allowMissingKeyFlags: false,
      enableParsingV5Entities: false,
    },
  }
}
