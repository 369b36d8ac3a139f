import { randomBytes } from 'node:crypto'
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Makes the entries of a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export interface WriteDurablyOptions {
  readonly mode?: number
}

/**
 * Writes a whole file so that a crash leaves the old one or the new one: temporary file in the same directory, fsync, rename,
 * fsync of the directory.
 */
export function writeDurably(path: string, content: string | Uint8Array, options: WriteDurablyOptions = {}): void {
  const temporary = join(dirname(path), `.tmp-${randomBytes(8).toString('hex')}`)
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, options.mode ?? 0o640)
  try {
    writeWhole(fd, typeof content === 'string' ? Buffer.from(content) : content)
    fsyncSync(fd)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
  syncDirectory(dirname(path))
}

/** write(2) until every byte is out. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.byteLength) at += writeSync(fd, bytes, at, bytes.byteLength - at)
}
