import type { Hash } from 'node:crypto'
import { quote, reveal, RktError, type ReceivedBlob } from '../base/index.ts'
import type { HashName } from './algorithms.ts'
import type { DetachedSignature } from './detached-signature.ts'
import { readStoredBlob } from './stored-blob.ts'

/**
 * What the signature signs: the blob's bytes and the packet's trailer, hashed. Uses the state that the receiving pass left; reads
 * the file again only when that pass did not know this hash would be needed.
 *
 * @throws RktError `corrupted` when the file then differs from what was received.
 */
export async function signatureDigest(blob: ReceivedBlob, { hash, trailer }: DetachedSignature): Promise<Uint8Array> {
  const state = blob.hashes[hash] ?? (await readAgain(blob, hash))
  return state.copy().update(trailer).digest()
}

async function readAgain(blob: ReceivedBlob, hash: HashName): Promise<Hash> {
  const again = reveal(await readStoredBlob(blob.path), 'check signature')
  const state = again.hashes[hash]
  if (state === undefined || !Buffer.from(again.digests.sha512).equals(blob.digests.sha512)) {
    throw new RktError('corrupted', `cannot check ${quote(blob.path)}: it changed since it was received`)
  }
  return state
}
