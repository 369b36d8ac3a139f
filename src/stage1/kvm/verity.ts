import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'

export const blockBytes = 4096
const digestBytes = 32
const perBlock = blockBytes / digestBytes
const chunkBlocks = 256

/** What dm-verity needs to check a disk. */
export interface VerityRoot {
  /** Blocks of data; the hash blocks follow them. */
  readonly blocks: number
  /** Hexadecimal. */
  readonly root: string
  readonly salt: string
}

/**
 * Appends the hash tree of a file to it, whose size is made a multiple of the block.
 *
 * SPEC: Linux Documentation/admin-guide/device-mapper/verity.rst, version 1 (the salt first), SHA-256, blocks of 4096 bytes, no superblock; the
 * level below the root hash comes first on the disk.
 */
export function appendVerity(path: string, salt: Uint8Array): VerityRoot {
  const fd = openSync(path, 'r+')
  try {
    const blocks = Math.ceil(fstatSync(fd).size / blockBytes)
    const levels: Buffer[] = []
    let digests = dataDigests(fd, { blocks, salt })
    // The digest of a single block is the root itself.
    while (digests.byteLength > digestBytes) {
      const level = padded(digests)
      levels.unshift(level)
      digests = blockDigests(level, salt)
    }
    let at = blocks * blockBytes
    for (const level of levels) {
      writeSync(fd, level, 0, level.byteLength, at)
      at += level.byteLength
    }
    return { blocks, root: digests.toString('hex'), salt: Buffer.from(salt).toString('hex') }
  } finally {
    closeSync(fd)
  }
}

function dataDigests(fd: number, { blocks, salt }: { readonly blocks: number; readonly salt: Uint8Array }): Buffer {
  const chunk = Buffer.alloc(chunkBlocks * blockBytes)
  const digests: Buffer[] = []
  for (let first = 0; first < blocks; first += chunkBlocks) {
    chunk.fill(0)
    const count = Math.min(chunkBlocks, blocks - first)
    for (let at = 0; at < count * blockBytes; ) {
      const got = readSync(fd, chunk, at, count * blockBytes - at, first * blockBytes + at)
      if (got === 0) break
      at += got
    }
    digests.push(blockDigests(chunk.subarray(0, count * blockBytes), salt))
  }
  return Buffer.concat(digests)
}

function blockDigests(data: Buffer, salt: Uint8Array): Buffer {
  const digests = Buffer.alloc((data.byteLength / blockBytes) * digestBytes)
  for (let block = 0; block * blockBytes < data.byteLength; block += 1) {
    createHash('sha256').update(salt).update(data.subarray(block * blockBytes, (block + 1) * blockBytes)).digest().copy(digests, block * digestBytes)
  }
  return digests
}

function padded(digests: Buffer): Buffer {
  const blocks = Math.ceil(digests.byteLength / digestBytes / perBlock)
  return Buffer.concat([digests, Buffer.alloc(blocks * blockBytes - digests.byteLength)])
}
