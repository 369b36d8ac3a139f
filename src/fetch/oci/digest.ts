import { createHash } from 'node:crypto'
import { digestParts, parseDigest, quote, RktError, type Digest } from '../../base/index.ts'

/** The digest of bytes, by the algorithm of `like`; SHA-256 without it. */
export function digestOf(bytes: Uint8Array, like?: Digest): Digest {
  const algorithm = like === undefined ? 'sha256' : digestParts(like).algorithm
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`)
}

/** @throws RktError `corrupted` when what came is not what was asked for. */
export function expectDigest(found: Digest, { wanted, from }: { readonly wanted: Digest; readonly from: string }): void {
  if (found === wanted) return
  throw new RktError('corrupted', `cannot use what ${quote(from)} sent: its digest is ${found}; expected ${wanted}`)
}

/** @throws RktError `corrupted`. */
export function expectSize(found: number, { wanted, from }: { readonly wanted: number; readonly from: string }): void {
  if (found === wanted) return
  throw new RktError('corrupted', `cannot use what ${quote(from)} sent: ${found} bytes; expected ${wanted}`)
}
