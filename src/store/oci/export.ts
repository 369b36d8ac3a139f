import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { digestParts, quote, writeWhole } from '../../base/index.ts'
import { valueOf } from '../../spec/index.ts'
import { blockBytes, encodeEntry, padding } from '../archive-entry.ts'
import { damaged } from '../blob.ts'
import type { ExportImageOptions } from '../export-image.ts'
import type { Layout } from '../layout.ts'
import { writeOutputFile, writing, type OutputFile } from '../output-file.ts'
import { openBlobOf } from './blobs.ts'
import type { OciRecord, StoredBlob } from './record.ts'

const chunkBytes = 262_144

/**
 * As `exportImage`: an OCI image layout in a tar, `oci-archive:` of other tools; every blob bit for bit as it was received, and compared
 * with its digest on the way. The same image gives the same bytes.
 *
 * SPEC: OCI image-spec image-layout.md.
 */
export async function exportOci(layout: Layout, record: OciRecord, { out, overwrite, signal }: ExportImageOptions): Promise<void> {
  const output: OutputFile = { path: out, overwrite, existsText: 'output ACI file exists (try --overwrite)' }
  const { documents, config, layers } = record
  const blobs = [...new Map([...documents, config, ...layers].map((blob) => [blob.digest, blob])).values()]
  const directories = ['blobs', ...new Set(blobs.map(({ digest }) => `blobs/${digestParts(digest).algorithm}`))]
  await writeOutputFile(output, async (fd) => {
    const write = (bytes: Uint8Array): void => writing(output, () => writeWhole(fd, bytes))
    const file = (path: string, text: string): void => {
      const bytes = Buffer.from(text)
      for (const part of [header(path, bytes.byteLength), bytes, padding(bytes.byteLength)]) write(part)
    }
    file('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }))
    file('index.json', indexOf(record))
    for (const path of directories) write(encodeEntry({ path, type: 'Directory', mode: 0o755, uid: 0, gid: 0, sizeBytes: 0, xattrs: [] }, 0))
    for (const blob of blobs) {
      const { algorithm, hex } = digestParts(blob.digest)
      write(header(`blobs/${algorithm}/${hex}`, blob.bytes))
      await copyBlob(layout, record, { blob, write, signal })
      write(padding(blob.bytes))
    }
    write(new Uint8Array(2 * blockBytes))
  })
}

function header(path: string, sizeBytes: number): Uint8Array {
  return encodeEntry({ path, type: 'File', mode: 0o644, uid: 0, gid: 0, sizeBytes, xattrs: [] }, 0)
}

/** Names what the reference led to, so that signatures over an index are found again. */
function indexOf({ documents, labels }: OciRecord): string {
  const [first] = documents
  if (first === undefined) throw new Error('a record has a manifest')
  const version = valueOf(labels, 'version')
  const annotations = version === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': version } }
  return JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: first.mediaType, digest: first.digest, size: first.bytes, ...annotations }] })
}

interface CopyOptions {
  readonly blob: StoredBlob
  readonly write: (bytes: Uint8Array) => void
  readonly signal: AbortSignal
}

async function copyBlob(layout: Layout, record: OciRecord, { blob, write, signal }: CopyOptions): Promise<void> {
  using open = openBlobOf(layout, record, blob)
  const { algorithm, hex } = digestParts(blob.digest)
  const hash = createHash(algorithm)
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let left = blob.bytes
  while (left > 0) {
    signal.throwIfAborted()
    const count = readSync(open.fd, chunk, 0, Math.min(left, chunkBytes), null)
    if (count === 0) break
    hash.update(chunk.subarray(0, count))
    write(chunk.subarray(0, count))
    left -= count
    // Signals are seen between turns of the event loop only.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  if (left > 0 || String(blob.bytes) !== open.stamp.size || hash.digest('hex') !== hex) throw damaged(record, `its blob ${quote(blob.digest)} was changed`)
}
