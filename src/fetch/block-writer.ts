import type { FileHandle } from 'node:fs/promises'
import type { Hashes } from '../base/index.ts'
import { writeAt } from './copy.ts'
import { updateHashes } from './hashing.ts'

const blockBytes = 1_048_576

export interface BlockWriter {
  /** Takes bytes; waits only when two blocks are full. */
  add(bytes: Uint8Array): Promise<void>
  /** Ends when everything that was added is written: also before a failure, since the next attempt goes on from there. */
  flush(): Promise<void>
}

/**
 * Writes what arrives in small pieces in large blocks: one is written by the thread pool while this thread hashes it and fills the other.
 */
export function blockWriter(file: FileHandle, { startBytes, hashes }: { readonly startBytes: number; readonly hashes: Hashes }): BlockWriter {
  let filling = Buffer.allocUnsafeSlow(blockBytes)
  let draining = Buffer.allocUnsafeSlow(blockBytes)
  let filledBytes = 0
  let at = startBytes
  let writing = Promise.resolve()
  const drain = async (): Promise<void> => {
    await writing
    const block = filling.subarray(0, filledBytes)
    ;[filling, draining] = [draining, filling]
    filledBytes = 0
    writing = writeAt(file, block, at)
    // Whoever awaits it next gets the failure.
    writing.catch(() => undefined)
    at += block.byteLength
    updateHashes(hashes, block)
  }
  return {
    add: async (bytes) => {
      let taken = 0
      while (taken < bytes.byteLength) {
        const piece = bytes.subarray(taken, taken + blockBytes - filledBytes)
        filling.set(piece, filledBytes)
        filledBytes += piece.byteLength
        taken += piece.byteLength
        if (filledBytes === blockBytes) await drain()
      }
    },
    flush: async () => {
      if (filledBytes > 0) await drain()
      await writing
    },
  }
}
