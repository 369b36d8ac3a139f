import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '../base/index.ts'
import { damaged, openStoredBlob } from './blob.ts'
import { makeOutputDirectory } from './output-directory.ts'
import type { ImageRecord } from './record.ts'
import type { Store } from './store.ts'
import { unpackAci } from './unpack.ts'

export interface ExtractImageOptions {
  /** Absolute path of the directory to make. */
  readonly out: string
  /** The directory becomes the image's root itself, without the manifest. */
  readonly rootfsOnly: boolean
  readonly overwrite: boolean
  readonly signal: AbortSignal
}

/**
 * Unpacks a stored image into a directory of the user's, with owners and modes as they are in the image; devices are left out. The
 * sandboxed unpacker writes it in a private place, so nobody else meets a setuid file of a half-made tree.
 *
 * @throws RktError `already-exists`, `usage`, `io`, `corrupted` when the stored blob is not the image any more.
 */
export async function extractImage({ layout }: Store, record: ImageRecord, { out, rootfsOnly, overwrite, signal }: ExtractImageOptions): Promise<void> {
  await makeOutputDirectory({ path: out, overwrite }, async (place) => {
    const tree = join(place, 'tree')
    mkdirSync(tree, { mode: 0o755 })
    using blob = openStoredBlob(layout, record)
    const unpacked = await unpackAci({ blobPath: blob.path, destination: tree, signal })
    if (unpacked.imageID !== record.id) throw damaged(record, `its blob unpacks to ${quote(unpacked.imageID)}`)
    if (rootfsOnly) return join(tree, 'rootfs')
    writeFileSync(join(tree, 'manifest'), unpacked.manifest, { mode: 0o644 })
    return tree
  })
}
