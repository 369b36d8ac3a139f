import { recordPath, type Layout } from '../layout.ts'
import { takeLock } from '../locks.ts'
import { formatRecord } from '../record.ts'
import { readRecord } from '../records.ts'
import type { Scratch } from '../scratch.ts'
import { isSameName, namesOf, type OciName, type OciRecord } from './record.ts'

/** Names of one image that are kept; the oldest are forgotten. */
const maxNames = 64

export interface CommitOciOptions {
  readonly record: OciRecord
  readonly scratch: Scratch
  readonly signal: AbortSignal
}

/**
 * Writes the record of an image whose blobs and trees are in their places, after everything is on the disk. Other names by which the
 * same image is known stay.
 */
export async function commitOci(layout: Layout, { record, scratch, signal }: CommitOciOptions): Promise<OciRecord> {
  using _lock = await takeLock(layout, { kind: 'image', id: record.id }, signal)
  const before = readRecord(layout, record.id)
  scratch.sync()
  if (before?.kind !== 'image' || before.record.kind !== 'oci') return writeOci(layout, { record, scratch })
  // Root's image stays root's, since root does not use what others wrote.
  if (before.ownerUid === 0 && process.geteuid?.() !== 0) return before.record
  const known = namesOf(before.record)
  const same = known.find((name) => isSameName(name, record))
  // A signed image does not lose its signature to a copy that came without one.
  const kept: OciName = same?.verdict.kind === 'signed' && record.verdict.kind === 'waived' ? same : record
  const { verdict, source, evidence } = kept
  const also = known.filter((name) => !isSameName(name, record)).slice(0, maxNames - 1)
  return writeOci(layout, { record: { ...record, verdict, source, evidence, also }, scratch })
}

/** Writes a record; the caller holds the image's lock. */
export function writeOci(layout: Layout, { record, scratch }: { readonly record: OciRecord; readonly scratch: Scratch }): OciRecord {
  scratch.place(recordPath(layout, record.id), formatRecord(record), 0o640)
  return record
}
