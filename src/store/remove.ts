import { rmSync } from 'node:fs'
import { digestParts, quote, RktError, syncDirectory, type Digest, type ImageID } from '../base/index.ts'
import { blobPath, recordPath, signaturePath, type Layout } from './layout.ts'
import { takeLock } from './locks.ts'
import { readRecord } from './records.ts'

/**
 * Removes an image: the record first, then blob and signature; the tree stays for the pods that use it, until it is collected.
 * A damaged record is removed as well; its blob is collected later.
 *
 * @throws RktError `not-found`.
 */
export async function removeImage(layout: Layout, id: ImageID, signal: AbortSignal): Promise<void> {
  const reading = readRecord(layout, id)
  if (reading?.kind === 'image' && reading.record.kind === 'oci') return await (await import('./oci/remove.ts')).removeOci(layout, id, signal)
  for (;;) {
    const blob = blobOf(layout, id)
    using _blobLock = blob === undefined ? undefined : await takeLock(layout, { kind: 'blob', hex: digestParts(blob).hex }, signal)
    using _imageLock = await takeLock(layout, { kind: 'image', id }, signal)
    if (blobOf(layout, id) !== blob) continue
    rmSync(recordPath(layout, id), { force: true })
    syncDirectory(layout.images)
    if (blob !== undefined) removeBlob(layout, blob)
    return
  }
}

/** Removes a blob and its signature; the caller holds the blob's lock and no record names it. */
export function removeBlob(layout: Layout, blob: Digest): void {
  rmSync(signaturePath(layout, blob), { force: true })
  rmSync(blobPath(layout, blob), { force: true })
}

function blobOf(layout: Layout, id: ImageID): Digest | undefined {
  const reading = readRecord(layout, id)
  if (reading === undefined) throw new RktError('not-found', `no image IDs found: ${quote(id)}`)
  return reading.kind === 'image' && reading.record.kind === 'aci' ? reading.record.blob : undefined
}
