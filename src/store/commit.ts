import { chmodSync, readFileSync, renameSync } from 'node:fs'
import { digestParts, isErrno, type Digest, type ReceivedBlob } from '../base/index.ts'
import type { Verified } from '../trust/index.ts'
import { openStoredBlob } from './blob.ts'
import { blobPath, recordPath, signaturePath, type Layout } from './layout.ts'
import { takeLock, tryLock } from './locks.ts'
import { formatRecord, type AciRecord } from './record.ts'
import { readAci } from './records.ts'
import { removeBlob } from './remove.ts'
import type { Scratch } from './scratch.ts'
import { installAci, isRendered, type FreshTree } from './tree.ts'

export interface CommitOptions {
  readonly scratch: Scratch
  /** Undefined for an image that was let in without one. */
  readonly signature: Uint8Array | undefined
  /** All fields but those that only the commit knows. */
  readonly record: Omit<AciRecord, 'stamp' | 'verdict'>
  /** Whether the same bytes are stored and untouched already. */
  readonly blob: 'new' | 'stored'
  /** Undefined when nothing was unpacked for keeps: not root, or the tree is there. */
  readonly fresh: FreshTree | undefined
  readonly signal: AbortSignal
}

/**
 * Puts a verified image in its place: blob and signature, tree, then everything on the disk, then the record, whose presence alone
 * makes the image exist. The caller holds the blob's lock.
 */
export async function commitImage(layout: Layout, verified: Verified<ReceivedBlob>, options: CommitOptions): Promise<AciRecord> {
  const { scratch, signature, record, signal } = options
  using _lock = await takeLock(layout, { kind: 'image', id: record.id }, signal)
  const before = readAci(layout, record.id)
  if (before !== undefined && isBetter(before, verified)) return before.record
  if (options.blob === 'new') {
    chmodSync(verified.value.path, 0o640)
    renameSync(verified.value.path, blobPath(layout, record.blob))
  }
  if (signature !== undefined) placeSignature(layout, { scratch, signature, blob: record.blob })
  if (options.fresh !== undefined) await placeTree(layout, { record, scratch, fresh: options.fresh, signal })
  if (options.blob === 'new' || options.fresh !== undefined) scratch.sync()
  const complete = writeRecord(layout, { scratch, record: { ...record, verdict: verified.verdict } })
  if (before !== undefined && before.record.blob !== record.blob) dropBlob(layout, before.record.blob)
  return complete
}

/**
 * Whether the record that is there must stay: a signed image does not lose its signature to a copy that came without one, and root's
 * image stays root's, since root does not use what others wrote.
 */
function isBetter({ record, ownerUid }: { readonly record: AciRecord; readonly ownerUid: number }, verified: Verified<ReceivedBlob>): boolean {
  if (ownerUid === 0 && process.geteuid?.() !== 0) return true
  return record.verdict.kind === 'signed' && verified.verdict.kind === 'waived'
}

interface Signature {
  readonly scratch: Scratch
  readonly signature: Uint8Array
  readonly blob: Digest
}

function placeSignature(layout: Layout, { scratch, signature, blob }: Signature): void {
  const path = signaturePath(layout, blob)
  try {
    if (readFileSync(path).equals(signature)) return
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  scratch.place(path, signature, 0o640)
}

async function placeTree(layout: Layout, options: Pick<CommitOptions, 'record' | 'scratch' | 'signal'> & { readonly fresh: FreshTree }): Promise<void> {
  const { record, scratch, fresh, signal } = options
  using _lock = await takeLock(layout, { kind: 'tree', id: record.treeID }, signal)
  if (!isRendered(layout, record.treeID)) installAci(layout, { id: record.treeID, fresh, scratch })
}

/** Writes a record with the stamp of the blob as it is now; the caller holds the image's lock. */
export function writeRecord(layout: Layout, { scratch, record }: { readonly scratch: Scratch; readonly record: Omit<AciRecord, 'stamp'> }): AciRecord {
  using blob = openStoredBlob(layout, record)
  const complete: AciRecord = { ...record, stamp: blob.stamp }
  scratch.place(recordPath(layout, record.id), formatRecord(complete), 0o640)
  return complete
}

/** The blob of a replaced record; one that is being imported just now is left to the collector. */
function dropBlob(layout: Layout, blob: Digest): void {
  using lock = tryLock(layout, { kind: 'blob', hex: digestParts(blob).hex })
  if (lock !== undefined) removeBlob(layout, blob)
}
