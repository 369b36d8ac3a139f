import type { BigIntStats } from 'node:fs'
import { objectField, textField } from './fields.ts'

/**
 * What the kernel changes whenever a file's bytes, owner or name could have changed. Comparing it costs one system call where hashing
 * the blob again would cost seconds; a difference means only that it must be hashed again.
 */
export interface BlobStamp {
  readonly inode: string
  readonly size: string
  /** Nanoseconds since 1970. */
  readonly changed: string
}

/** @throws RktError `corrupted`. */
export function parseStamp(json: unknown): BlobStamp {
  const fields = objectField(json, 'stamp')
  return { inode: textField(fields, 'inode'), size: textField(fields, 'size'), changed: textField(fields, 'changed') }
}

export function sameStamp(a: BlobStamp, b: BlobStamp): boolean {
  return a.inode === b.inode && a.size === b.size && a.changed === b.changed
}

export function stampOf(stat: BigIntStats): BlobStamp {
  return { inode: String(stat.ino), size: String(stat.size), changed: String(stat.ctimeNs) }
}

/** SAFETY: members of the group `rkt` may write to the directories of blobs and records; root believes only what root wrote. */
export function faultOf(stat: BigIntStats): string | undefined {
  if (!stat.isFile()) return 'it is not a regular file'
  if (process.geteuid?.() !== 0) return undefined
  if (stat.uid !== 0n) return `it belongs to user ${stat.uid}; expected root`
  if ((stat.mode & 0o022n) !== 0n) return 'others than root may write to it'
  return undefined
}
