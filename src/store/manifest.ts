import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, parseDigest, type Digest } from '../base/index.ts'
import { readImageManifest, type ImageManifest } from '../spec/index.ts'
import { damaged, openStoredBlob } from './blob.ts'
import { treePath, type Layout } from './layout.ts'
import type { AciRecord } from './record.ts'
import { isRendered } from './rendered.ts'
import { unpackAci } from './unpack.ts'

/** The manifest of a stored image. @throws RktError `corrupted` when it is not the one that was imported. */
export async function readManifest(layout: Layout, record: AciRecord, signal?: AbortSignal): Promise<ImageManifest> {
  return readImageManifest(await readManifestBytes(layout, record, signal))
}

/** The manifest's bytes, from the rendered tree or, without one, from the blob. @throws RktError `corrupted`. */
export async function readManifestBytes(layout: Layout, record: AciRecord, signal?: AbortSignal): Promise<Uint8Array> {
  const bytes = fromTree(layout, record) ?? (await fromBlob(layout, record, signal))
  if (manifestDigestOf(bytes) !== record.manifestDigest) throw damaged(record, 'its manifest is not the one that was imported')
  return bytes
}

/** Digest text of a manifest's bytes, as the record keeps it. */
export function manifestDigestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
}

function fromTree(layout: Layout, record: AciRecord): Uint8Array | undefined {
  if (!isRendered(layout, record.treeID)) return undefined
  try {
    return readFileSync(join(treePath(layout, record.treeID), 'manifest'))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return undefined
    throw error
  }
}

async function fromBlob(layout: Layout, record: AciRecord, signal = new AbortController().signal): Promise<Uint8Array> {
  using blob = openStoredBlob(layout, record)
  const unpacked = await unpackAci({ blobPath: blob.path, signal })
  if (unpacked.imageID !== record.id) throw damaged(record, 'its blob is another image')
  return unpacked.manifest
}
