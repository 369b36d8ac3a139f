import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { digestParts, errorText, isErrno, parseDigest, quote, RktError, unverified, type Unverified } from '../../base/index.ts'
import type { OciBlob, OciDescriptor } from '../../spec/index.ts'
import { writeAt } from '../copy.ts'
import { expectDigest, expectSize } from './digest.ts'

/** A blob that is being written and hashed in the same pass. */
export interface Incoming extends AsyncDisposable {
  readonly doneBytes: number
  /** @throws RktError `corrupted` when more comes than the descriptor says, `io` when the disk is full. */
  append(chunk: Uint8Array): Promise<void>
  /** Hashes what is already in the file. */
  takeOver(signal: AbortSignal): Promise<void>
  /** Begins again with nothing. */
  restart(): Promise<void>
  /** @throws RktError `corrupted` unless size and digest are those of the descriptor. */
  check(): void
}

export interface IncomingOptions {
  readonly path: string
  /** For messages. */
  readonly from: string
}

const chunkBytes = 1_048_576

/** Where the blob of a descriptor is put below a scratch directory. */
export function blobPath(into: string, { digest }: OciDescriptor): string {
  const { algorithm, hex } = digestParts(digest)
  return join(into, `${algorithm}-${hex}`)
}

export function blobAt(path: string, descriptor: OciDescriptor): Unverified<OciBlob> {
  return unverified({ descriptor, path })
}

/** Opens the file, made when it is missing. */
export async function openIncoming(descriptor: OciDescriptor, { path, from }: IncomingOptions): Promise<Incoming> {
  const { algorithm } = digestParts(descriptor.digest)
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o640)
  let hash: Hash = createHash(algorithm)
  let doneBytes = 0
  return {
    get doneBytes() {
      return doneBytes
    },
    append: async (chunk) => {
      // Attack: an endless blob. What the descriptor says is known before the first byte, so not one more is kept.
      if (doneBytes + chunk.byteLength > descriptor.size) throw tooMuch(descriptor, from)
      const writing = storing(writeAt(file, chunk, doneBytes), from)
      hash.update(chunk)
      await writing
      doneBytes += chunk.byteLength
    },
    takeOver: async (signal) => {
      const buffer = Buffer.allocUnsafeSlow(chunkBytes)
      for (;;) {
        const bytesRead = await readSome(file, { buffer, position: doneBytes })
        if (bytesRead === 0) return
        signal.throwIfAborted()
        if (doneBytes + bytesRead > descriptor.size) throw tooMuch(descriptor, from)
        hash.update(buffer.subarray(0, bytesRead))
        doneBytes += bytesRead
      }
    },
    restart: async () => {
      await file.truncate(0)
      hash = createHash(algorithm)
      doneBytes = 0
    },
    check: () => {
      expectSize(doneBytes, { wanted: descriptor.size, from })
      expectDigest(parseDigest(`${algorithm}:${hash.copy().digest('hex')}`), { wanted: descriptor.digest, from })
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

async function readSome(file: FileHandle, { buffer, position }: { readonly buffer: Buffer; readonly position: number }): Promise<number> {
  const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position)
  return bytesRead
}

async function storing(writing: Promise<void>, from: string): Promise<void> {
  try {
    await writing
  } catch (cause) {
    if (!isErrno(cause, 'EIO', 'ENOSPC', 'EDQUOT', 'EFBIG')) throw cause
    throw new RktError('io', `cannot store blob of ${quote(from)}: ${errorText(cause)}`, { cause })
  }
}

function tooMuch({ size }: OciDescriptor, from: string): RktError {
  return new RktError('corrupted', `cannot use what ${quote(from)} sent: more than ${size} bytes, as its descriptor says`)
}
