import type { Readable } from 'node:stream'
import { limits, type ImageID } from '../base/index.ts'
import { compareListing, type ListingComparison } from './tree-listing.ts'
import { openFiles, runUnpacker } from './unpacker-process.ts'
import { countOf, imageIDOf, textOf } from './unpacker-result.ts'

/** What one decompression of an image gives. */
export interface UnpackedAci {
  readonly imageID: ImageID
  /** Length of the uncompressed archive. */
  readonly unpackedBytes: number
  /** Members of the archive. */
  readonly entries: number
  readonly manifest: Uint8Array
  /** SHA-512 over the listing of `rootfs`, 128 hexadecimal digits; undefined without a destination. */
  readonly treeHash: string | undefined
}

export type LimitName =
  | 'pathBytes'
  | 'nameBytes'
  | 'pathDepth'
  | 'archiveEntries'
  | 'archiveHeaderBytes'
  | 'jsonBytes'
  | 'unpackedBytes'
  | 'compressionRatio'
  | 'unpackMs'

export interface UnpackOptions {
  readonly blobPath: string
  /** An empty directory that gets `rootfs`; without one the archive is only looked through. */
  readonly destination?: string
  /** A new file outside the destination that gets the listing of `rootfs`: see `specs/tree-listing.md`. */
  readonly listingPath?: string
  /** Narrower bounds than those of every image. */
  readonly limits?: Partial<Record<LimitName, number>>
  readonly signal: AbortSignal
}

/**
 * Unpacks an ACI in the sandboxed unpacker, which alone reads what is inside. What it wrote is not yet on the disk (`syncfs`); after
 * an error the destination holds leftovers that the caller removes.
 *
 * @throws RktError `invalid-archive` for a member that is refused, `limit-exceeded` with the name of the limit, `io` for all else.
 */
export async function unpackAci(options: UnpackOptions): Promise<UnpackedAci> {
  const bounds = { ...limits, ...options.limits }
  const args = [
    'aci',
    ...(options.destination === undefined ? ['--inspect'] : []),
    `--limit-path=${bounds.pathBytes}`,
    `--limit-name=${bounds.nameBytes}`,
    `--limit-depth=${bounds.pathDepth}`,
    `--limit-entries=${bounds.archiveEntries}`,
    `--limit-header=${bounds.archiveHeaderBytes}`,
    `--limit-manifest=${bounds.jsonBytes}`,
    `--limit-unpacked=${bounds.unpackedBytes}`,
    `--limit-ratio=${bounds.compressionRatio}`,
  ]
  using files = openFiles({ blob: options.blobPath, destination: options.destination, newListing: options.listingPath })
  const result = await runUnpacker({ args, files, deadlineMs: bounds.unpackMs, signal: options.signal })
  return {
    imageID: imageIDOf(result),
    unpackedBytes: countOf(result, 'unpackedBytes'),
    entries: countOf(result, 'entries'),
    manifest: Buffer.from(textOf(result, 'manifestBase64', /^[A-Za-z0-9+/]*={0,2}$/), 'base64'),
    treeHash: options.destination === undefined ? undefined : textOf(result, 'treeHash', /^[0-9a-f]{128}$/),
  }
}

/** Writes the listing of a tree that was put together after unpacking, and gives its hash. @throws RktError `io`, `limit-exceeded`. */
export async function listTree({ path, newListing, signal }: { readonly path: string; readonly newListing: string; readonly signal: AbortSignal }): Promise<string> {
  using files = openFiles({ destination: path, newListing })
  return textOf(await runUnpacker({ args: ['hash'], files, deadlineMs: limits.unpackMs, signal }), 'treeHash', /^[0-9a-f]{128}$/)
}

export interface TreeHashOptions {
  /** The directory that holds `rootfs`. */
  readonly path: string
  /** The listing written when the tree was unpacked. */
  readonly listingPath?: string
  readonly signal: AbortSignal
}

/** What a tree is now, and how that differs from its stored listing. */
export interface TreeHash extends ListingComparison {
  readonly treeHash: string
}

/**
 * Computes the hash of an unpacked tree anew, reading every file; with the stored listing, also which paths differ from it.
 *
 * @throws RktError `io`, `limit-exceeded`, and `corrupted` for a listing that is not one.
 */
export async function treeHash(options: TreeHashOptions): Promise<TreeHash> {
  using files = openFiles({ destination: options.path, storedListing: options.listingPath })
  let comparison: Promise<ListingComparison> = Promise.resolve({ differences: [], differenceCount: 0 })
  const stored = files.storedListing
  const onListing = (fresh: Readable): void => {
    if (stored === undefined) return
    comparison = compareListing(stored, fresh)
    // Ends the unpacker, which would otherwise wait for its reader for ever.
    comparison.catch(() => fresh.destroy())
  }
  const run = runUnpacker({
    args: ['hash'],
    files,
    onListing: stored === undefined ? undefined : onListing,
    deadlineMs: limits.unpackMs,
    signal: options.signal,
  })
  // A damaged listing explains the failure of the run, not the other way round.
  const [result, compared] = await Promise.allSettled([run, run.then(() => comparison, () => comparison)])
  if (compared.status === 'rejected') throw compared.reason
  if (result.status === 'rejected') throw result.reason
  return { treeHash: textOf(result.value, 'treeHash', /^[0-9a-f]{128}$/), ...compared.value }
}
