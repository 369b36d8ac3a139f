import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { errorText, isErrno, quote, RktError, unverified, type ReceivedBlob, type Unverified } from '../base/index.ts'

/**
 * Reads a blob that was stored earlier in one pass, so that its signature can be checked again; what it says is as unverified as
 * when it was received.
 *
 * @throws RktError `corrupted` when the file is gone, `io`, `cancelled`.
 */
export async function readStoredBlob(path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Unverified<ReceivedBlob>> {
  const hashes = { sha256: createHash('sha256'), sha384: createHash('sha384'), sha512: createHash('sha512') }
  let sizeBytes = 0
  const source = createReadStream(path, { highWaterMark: 1 << 20 })
  try {
    await pipeline(
      source,
      async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) {
          sizeBytes += chunk.byteLength
          for (const hash of Object.values(hashes)) hash.update(chunk)
        }
      },
      signal === undefined ? {} : { signal },
    )
  } catch (cause) {
    if (signal?.aborted === true) throw new RktError('cancelled', `cannot read ${quote(path)}: cancelled`, { cause })
    if (isErrno(cause, 'ENOENT')) throw new RktError('corrupted', `cannot read ${quote(path)}: it is gone`, { cause })
    throw new RktError('io', `cannot read ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  const digests = {
    sha256: hashes.sha256.copy().digest(),
    sha384: hashes.sha384.copy().digest(),
    sha512: hashes.sha512.copy().digest(),
  }
  return unverified({ path, sizeBytes, digests, hashes })
}
