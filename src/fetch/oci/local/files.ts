import type { FileHandle } from 'node:fs/promises'

/** A range of an open file that is one file of a layout or archive. */
export interface FileRange extends AsyncDisposable {
  readonly file: FileHandle
  readonly start: number
  readonly size: number
}

/** The files of a layout, wherever they lie: regular ones only, found by name. */
export interface Files extends AsyncDisposable {
  /** For messages. */
  readonly text: string
  /** A name with `/`; undefined when there is no such file. @throws RktError `io`, `invalid-archive`. */
  open(name: string): Promise<FileRange | undefined>
}

/** At most `maxBytes` of a file of a layout; undefined when there is none. */
export async function readWhole(files: Files, { name, maxBytes, tooLarge }: { readonly name: string; readonly maxBytes: number; readonly tooLarge: () => Error }): Promise<Uint8Array | undefined> {
  await using range = await files.open(name)
  if (range === undefined) return undefined
  if (range.size > maxBytes) throw tooLarge()
  const bytes = Buffer.alloc(range.size)
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesRead } = await range.file.read(bytes, done, bytes.byteLength - done, range.start + done)
    if (bytesRead === 0) return bytes.subarray(0, done)
    done += bytesRead
  }
  return bytes
}
