import { digestParts, limits, parseDigest, RktError, type Digest } from '../../base/index.ts'
import type { LimitName } from '../unpack.ts'
import { openFiles, runUnpacker } from '../unpacker-process.ts'
import { countOf, textOf } from '../unpacker-result.ts'

/** What one decompression of a layer gives. */
export interface UnpackedLayer {
  /** Digest of the uncompressed archive. */
  readonly diffID: Digest
  readonly unpackedBytes: number
  readonly treeHash: string
  /** Directories that no member named; the root among them. */
  readonly unnamed: number
  /** Whether nothing of the layers below is shown. */
  readonly opaqueRoot: boolean
}

export interface UnpackLayerOptions {
  readonly blobPath: string
  /** An empty directory that gets `rootfs`. */
  readonly destination: string
  /** A new file outside the destination that gets the listing. */
  readonly listingPath: string
  /** Decides by which algorithm the archive is hashed. */
  readonly expected: Digest
  /** Narrower bounds than those of every layer. */
  readonly limits?: Partial<Record<LimitName, number>>
  readonly signal: AbortSignal
}

/**
 * Unpacks an OCI layer in the sandboxed unpacker: whiteouts, opaque directories and directories that nobody named are left as marks
 * for overlay. What it wrote is not yet on the disk (`syncfs`); after an error the destination holds leftovers that the caller removes.
 *
 * @throws RktError `invalid-archive`, `limit-exceeded` with the name of the limit, `io` for all else.
 */
export async function unpackLayer(options: UnpackLayerOptions): Promise<UnpackedLayer> {
  const bounds = { ...limits, ...options.limits }
  const { algorithm } = digestParts(options.expected)
  const args = [
    'layer',
    ...(algorithm === 'sha512' ? ['--sha512'] : []),
    `--limit-path=${bounds.pathBytes}`,
    `--limit-name=${bounds.nameBytes}`,
    `--limit-depth=${bounds.pathDepth}`,
    `--limit-entries=${bounds.archiveEntries}`,
    `--limit-header=${bounds.archiveHeaderBytes}`,
    `--limit-unpacked=${bounds.unpackedBytes}`,
    `--limit-ratio=${bounds.compressionRatio}`,
  ]
  using files = openFiles({ blob: options.blobPath, destination: options.destination, newListing: options.listingPath })
  const result = await runUnpacker({ args, files, deadlineMs: bounds.unpackMs, signal: options.signal })
  const { opaqueRoot } = result
  if (typeof opaqueRoot !== 'boolean') throw new RktError('io', "cannot unpack: the unpacker's result has no valid opaqueRoot")
  return {
    diffID: parseDigest(`${algorithm}:${textOf(result, 'digest', algorithm === 'sha512' ? /^[0-9a-f]{128}$/ : /^[0-9a-f]{64}$/)}`),
    unpackedBytes: countOf(result, 'unpackedBytes'),
    treeHash: textOf(result, 'treeHash', /^[0-9a-f]{128}$/),
    unnamed: countOf(result, 'unnamed'),
    opaqueRoot,
  }
}
