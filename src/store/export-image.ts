import { limits, quote, type ImageID } from '../base/index.ts'
import { damaged, openStoredBlob } from './blob.ts'
import { writeOutputFile, type OutputFile } from './output-file.ts'
import type { ImageRecord } from './record.ts'
import type { Store } from './store.ts'
import { runUnpacker } from './unpacker-process.ts'
import { imageIDOf } from './unpacker-result.ts'

export interface ExportImageOptions {
  readonly out: string
  readonly overwrite: boolean
  readonly signal: AbortSignal
}

/**
 * Writes a stored image as an uncompressed ACI, byte for byte the archive whose digest is the image ID. The unpacker decompresses.
 *
 * @throws RktError `already-exists`, `io`, `corrupted` when the stored blob is not the image any more.
 */
export async function exportImage({ layout }: Store, record: ImageRecord, { out, overwrite, signal }: ExportImageOptions): Promise<void> {
  if (record.kind === 'oci') return await (await import('./oci/export.ts')).exportOci(layout, record, { out, overwrite, signal })
  const output: OutputFile = { path: out, overwrite, existsText: 'output ACI file exists (try --overwrite)' }
  await writeOutputFile(output, async (fd) => {
    using blob = openStoredBlob(layout, record)
    const id = await decompress(blob.fd, { destination: fd, signal })
    if (id !== record.id) throw damaged(record, `its blob unpacks to ${quote(id)}`)
  })
}

async function decompress(blob: number, { destination, signal }: { readonly destination: number; readonly signal: AbortSignal }): Promise<ImageID> {
  const files = { blob, destination, newListing: undefined, storedListing: undefined, [Symbol.dispose]: () => undefined }
  const args = ['plain', `--limit-unpacked=${limits.unpackedBytes}`, `--limit-ratio=${limits.compressionRatio}`]
  return imageIDOf(await runUnpacker({ args, files, deadlineMs: limits.unpackMs, signal }))
}
