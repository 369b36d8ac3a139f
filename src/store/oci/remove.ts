import { rmSync } from 'node:fs'
import { digestParts, quote, RktError, syncDirectory, type ImageID } from '../../base/index.ts'
import { mayName } from '../collect.ts'
import { recordPath, type Layout } from '../layout.ts'
import { takeLock, tryLock } from '../locks.ts'
import { readRecord, readRecords } from '../records.ts'
import { dropBlob } from './blobs.ts'
import { blobsOf, type OciRecord } from './record.ts'

/** As `removeImage`: blobs that other images share stay, and all of them while another image is imported, for the collector. */
export async function removeOci(layout: Layout, id: ImageID, signal: AbortSignal): Promise<void> {
  const record = await removeRecord(layout, id, signal)
  using imports = tryLock(layout, { kind: 'imports' })
  if (imports === undefined || record === undefined) return
  const others = readRecords(layout)
  for (const { digest } of blobsOf(record)) {
    const { hex } = digestParts(digest)
    using lock = others.some((reading) => mayName(reading, hex)) ? undefined : tryLock(layout, { kind: 'blob', hex })
    if (lock !== undefined) dropBlob(layout, digest)
  }
}

async function removeRecord(layout: Layout, id: ImageID, signal: AbortSignal): Promise<OciRecord | undefined> {
  using _lock = await takeLock(layout, { kind: 'image', id }, signal)
  const reading = readRecord(layout, id)
  if (reading === undefined) throw new RktError('not-found', `no image IDs found: ${quote(id)}`)
  rmSync(recordPath(layout, id), { force: true })
  syncDirectory(layout.images)
  return reading.kind === 'image' && reading.record.kind === 'oci' ? reading.record : undefined
}
