import { createHash } from 'node:crypto'
import type { Digests, Hashes } from '../base/index.ts'

/** The algorithms that signatures over images may use. */
export type HashAlgorithm = 'sha256' | 'sha384' | 'sha512'

/** Fresh states: SHA-512 always (it names the blob), the others when they are needed or when nothing says that they are not. */
export function startHashes(needed: ReadonlySet<HashAlgorithm> | undefined): Hashes {
  const start = (algorithm: HashAlgorithm): Hashes['sha512'] | undefined =>
    needed === undefined || needed.has(algorithm) ? createHash(algorithm) : undefined
  return { sha256: start('sha256'), sha384: start('sha384'), sha512: createHash('sha512') }
}

/** Feeds the same bytes to every state. */
export function updateHashes(hashes: Hashes, bytes: Uint8Array): void {
  hashes.sha256?.update(bytes)
  hashes.sha384?.update(bytes)
  hashes.sha512.update(bytes)
}

/** Digests of what was fed so far; the states stay open. */
export function digestsOf(hashes: Hashes): Digests {
  return {
    sha256: hashes.sha256?.copy().digest(),
    sha384: hashes.sha384?.copy().digest(),
    sha512: hashes.sha512.copy().digest(),
  }
}
