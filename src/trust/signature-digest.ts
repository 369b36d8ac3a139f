import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { ReceivedBlob } from '../base/index.ts'
import type { DetachedSignature } from './detached-signature.ts'

/**
 * What the signature signs: the blob's bytes and the packet's trailer, hashed. Uses the state that the receiving pass left; reads
 * the file again only when that pass did not know this hash would be needed.
 */
export async function signatureDigest(blob: ReceivedBlob, { hash, trailer }: DetachedSignature): Promise<Uint8Array> {
  const state = blob.hashes[hash]?.copy() ?? (await hashFile(blob.path, createHash(hash)))
  return state.update(trailer).digest()
}

async function hashFile(path: string, hash: Hash): Promise<Hash> {
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) hash.update(chunk)
  })
  return hash
}
