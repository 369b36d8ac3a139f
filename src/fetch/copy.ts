import type { FileHandle } from 'node:fs/promises'
import { limits, RktError, type Hashes } from '../base/index.ts'
import { updateHashes } from './hashing.ts'

const chunkBytes = 1_048_576

export interface CopyHashingOptions {
  readonly from: FileHandle
  /** Where the bytes go as well; undefined when they are only hashed. */
  readonly to: FileHandle | undefined
  readonly hashes: Hashes
  readonly signal: AbortSignal
  readonly onBytes?: (doneBytes: number) => void
}

/**
 * Reads a file once from its start, hashing and copying at the same time: the next chunk is read and the last one written by the
 * thread pool while this thread hashes. Returns the number of bytes.
 *
 * @throws RktError `limit-exceeded` past `limits.blobBytes`.
 */
export async function copyHashing(options: CopyHashingOptions): Promise<number> {
  const { from, to, hashes, signal } = options
  let filling = Buffer.allocUnsafeSlow(chunkBytes)
  let draining = Buffer.allocUnsafeSlow(chunkBytes)
  let doneBytes = 0
  let reading = from.read(filling, 0, chunkBytes, 0)
  for (;;) {
    const { bytesRead } = await reading
    if (bytesRead === 0) return doneBytes
    signal.throwIfAborted()
    const chunk = filling.subarray(0, bytesRead)
    const at = doneBytes
    doneBytes += bytesRead
    if (doneBytes > limits.blobBytes) throw new RktError('limit-exceeded', `cannot receive image: more than ${limits.blobBytes} bytes`)
    ;[filling, draining] = [draining, filling]
    reading = from.read(filling, 0, chunkBytes, doneBytes)
    const writing = to === undefined ? Promise.resolve() : writeAt(to, chunk, at)
    updateHashes(hashes, chunk)
    try {
      await writing
    } catch (error) {
      await reading.catch(() => undefined) // the write's failure is the one to report
      throw error
    }
    options.onBytes?.(doneBytes)
  }
}

/** Writes every byte at a position. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done)
    done += bytesWritten
  }
}
