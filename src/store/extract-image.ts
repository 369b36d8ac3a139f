import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '../base/index.ts'
import { damaged, openStoredBlob } from './blob.ts'
import { composeTree, type ComposedTree } from './compose-tree.ts'
import type { Layout } from './layout.ts'
import { makeOutputDirectory } from './output-directory.ts'
import type { AciRecord, ImageRecord } from './record.ts'
import type { Store } from './store.ts'
import { unpackAci } from './unpack.ts'

export interface ExtractImageOptions {
  /** Absolute path of the directory to make. */
  readonly out: string
  /** `own` is the image's archive alone; `all` its tree over those of its dependencies, of which each was judged. */
  readonly content: 'own' | 'all'
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
export async function extractImage(store: Store, record: ImageRecord, options: ExtractImageOptions): Promise<void> {
  if (record.kind === 'oci') return await (await import('./oci/extract.ts')).extractOci(store, record, options)
  const { layout } = store
  const { out, overwrite, rootfsOnly, signal } = options
  await makeOutputDirectory({ path: out, overwrite }, async (place) => {
    const layers = options.content === 'all' ? record.layers : undefined
    const { path, top } = layers === undefined ? await unpackOwn(layout, { record, place, signal }) : await composeTree(layout, { layers, place, signal })
    if (rootfsOnly) return join(path, 'rootfs')
    writeFileSync(join(path, 'manifest'), top.manifest, { mode: 0o644 })
    return path
  })
}

interface OwnTree {
  readonly record: AciRecord
  readonly place: string
  readonly signal: AbortSignal
}

async function unpackOwn(layout: Layout, { record, place, signal }: OwnTree): Promise<ComposedTree> {
  const path = join(place, 'tree')
  mkdirSync(path, { mode: 0o755 })
  using blob = openStoredBlob(layout, record)
  const top = await unpackAci({ blobPath: blob.path, destination: path, signal })
  if (top.imageID !== record.id) throw damaged(record, `its blob unpacks to ${quote(top.imageID)}`)
  return { path, top }
}
