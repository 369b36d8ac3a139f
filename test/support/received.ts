import { createHash } from 'node:crypto'
import { unverified, type ReceivedBlob, type Unverified } from '../../src/base/index.ts'

/** A blob as a receiving pass over `content` leaves it; no file is made, since a check must not need one. */
export function receivedBlob(content: Uint8Array): Unverified<ReceivedBlob> {
  const hashes = { sha256: createHash('sha256').update(content), sha384: createHash('sha384').update(content), sha512: createHash('sha512').update(content) }
  const digests = { sha256: hashes.sha256.copy().digest(), sha384: hashes.sha384.copy().digest(), sha512: hashes.sha512.copy().digest() }
  return unverified({ path: '/nonexistent/received', sizeBytes: content.byteLength, digests, hashes })
}
