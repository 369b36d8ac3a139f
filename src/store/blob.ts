import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { isErrno, quote, RktError } from '../base/index.ts'
import { blobPath, type Layout } from './layout.ts'
import type { AciRecord, ImageRecord } from './record.ts'
import { faultOf, sameStamp, stampOf, type BlobStamp } from './stamp.ts'

/** A blob that is open: it stays the same file whatever happens to its name. */
export interface OpenBlob extends Disposable {
  readonly fd: number
  /** A path for other processes, valid while this process keeps the file open. */
  readonly path: string
  readonly stamp: BlobStamp
}

/**
 * Opens a stored blob; undefined when it is missing.
 *
 * @throws RktError `corrupted` when it is not a regular file, or when another user than root could write what root is about to use.
 */
export function openBlob(path: string): OpenBlob | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    if (isErrno(error, 'ELOOP')) throw new RktError('corrupted', `cannot use blob ${quote(path)}: it is a symbolic link`)
    throw error
  }
  const stat = fstatSync(fd, { bigint: true })
  const fault = faultOf(stat)
  if (fault !== undefined) {
    closeSync(fd)
    throw new RktError('corrupted', `cannot use blob ${quote(path)}: ${fault}`, { hint: 'fetch the image again' })
  }
  return {
    fd,
    path: `/proc/${process.pid}/fd/${fd}`,
    stamp: stampOf(stat),
    [Symbol.dispose]: () => closeSync(fd),
  }
}

/** The blob of a record. @throws RktError `corrupted` when it is missing. */
export function openStoredBlob(layout: Layout, record: Pick<AciRecord, 'id' | 'blob'>): OpenBlob {
  const blob = openBlob(blobPath(layout, record.blob))
  if (blob === undefined) throw damaged(record, 'its blob is missing')
  return blob
}

/** Whether the stored blob is still the file whose digest was compared when the record was written. */
export function isUntouched(layout: Layout, record: AciRecord): boolean {
  using blob = openBlob(blobPath(layout, record.blob))
  return blob !== undefined && sameStamp(blob.stamp, record.stamp)
}

/** The record as one of an ACI. @throws RktError `unsupported` for an OCI image in its place. */
export function requireAci(record: ImageRecord): AciRecord {
  if (record.kind === 'aci') return record
  throw new RktError('unsupported', `cannot use image ${quote(record.id)} here: it is an OCI image; expected an ACI`)
}

/** The refusal of a stored image that is not what it was. */
export function damaged(record: Pick<ImageRecord, 'id'>, state: string): RktError {
  return new RktError('corrupted', `cannot use image ${quote(record.id)}: ${state}`, {
    hint: `remove it with rkt image rm ${record.id} and fetch the image again`,
  })
}
