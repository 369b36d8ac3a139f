import { createHash } from 'node:crypto'
import { chmodSync, createReadStream, readFileSync, renameSync, rmSync } from 'node:fs'
import { digestParts, isRktError, quote, reveal, type Digest, type Unverified } from '../../base/index.ts'
import type { OciBlob } from '../../spec/index.ts'
import { damaged, openBlob, type OpenBlob } from '../blob.ts'
import { blobPath, type Layout } from '../layout.ts'
import type { Scratch } from '../scratch.ts'
import type { OciRecord, StoredBlob } from './record.ts'

/** Whether a blob of this digest and size is stored, as root's when we are root; what is in it is compared when it is used. */
export function hasBlob(layout: Layout, { digest, bytes }: StoredBlob): boolean {
  try {
    using blob = openBlob(blobPath(layout, digest))
    return blob?.stamp.size === String(bytes)
  } catch (error) {
    if (isRktError(error, 'corrupted')) return false
    throw error
  }
}

/** Whether a stored blob still has its digest. */
export async function isWhole(layout: Layout, { digest }: Pick<StoredBlob, 'digest'>, signal: AbortSignal): Promise<boolean> {
  using blob = openBlob(blobPath(layout, digest))
  if (blob === undefined) return false
  const { algorithm, hex } = digestParts(digest)
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream('', { fd: blob.fd, autoClose: false, start: 0, highWaterMark: 1 << 20, signal })) hash.update(chunk)
  return hash.digest('hex') === hex
}

/** Moves a received blob, whose digest was compared, to its place. The caller holds its lock. */
export function placeBlob(path: string, blob: Unverified<OciBlob>): void {
  const received = reveal(blob, 'compare digest')
  chmodSync(received.path, 0o640)
  renameSync(received.path, path)
}

/** Writes a document, whose digest was taken of these bytes, unless it is there. */
export function placeBytes(layout: Layout, { digest, bytes, scratch }: { readonly digest: Digest; readonly bytes: Uint8Array; readonly scratch: Scratch }): void {
  const path = blobPath(layout, digest)
  if (!hasBlob(layout, { digest, bytes: bytes.byteLength }) || !readFileSync(path).equals(bytes)) scratch.place(path, bytes, 0o640)
}

/** Removes a blob that is damaged, or that no record names. */
export function dropBlob(layout: Layout, digest: Digest): void {
  rmSync(blobPath(layout, digest), { force: true })
}

/** A blob of an image, open. @throws RktError `corrupted` when it is missing or not root's. */
export function openBlobOf(layout: Layout, record: Pick<OciRecord, 'id'>, { digest }: Pick<StoredBlob, 'digest'>): OpenBlob {
  const blob = openBlob(blobPath(layout, digest))
  if (blob === undefined) throw damaged(record, `its blob ${quote(digest)} is missing`)
  return blob
}

/**
 * A document or config of an image, whole: it is small, and compared with its digest at every use.
 *
 * @throws RktError `corrupted`.
 */
export function readBlobOf(layout: Layout, record: Pick<OciRecord, 'id'>, blob: StoredBlob): Buffer {
  using open = openBlobOf(layout, record, blob)
  const bytes = readFileSync(open.fd)
  if (bytes.byteLength !== blob.bytes || digestOf(bytes, blob.digest) !== blob.digest) throw damaged(record, `its blob ${quote(blob.digest)} was changed`)
  return bytes
}

/** The digest of bytes, with the algorithm of another one. */
export function digestOf(bytes: Uint8Array, model: Digest): string {
  const { algorithm } = digestParts(model)
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}
