import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { errorText, parseImageID, quote, RktError, writeWhole, type ImageID } from '../base/index.ts'
import { blockBytes, encodeEntry, padding } from './archive-entry.ts'
import { walkTree, type FoundEntry, type SocketRule } from './archive-walk.ts'
import { writeOutputFile, writing, type OutputFile } from './output-file.ts'

export interface WriteAciOptions {
  /** The image manifest, byte for byte. */
  readonly manifest: Uint8Array
  /** The directory itself, not a link to it, that becomes the image's root. */
  readonly tree: string
  readonly output: OutputFile
  readonly compression: 'gzip' | 'none'
  /** Time of every member, in seconds since 1970; `kept` leaves that of each file. */
  readonly mtimeSeconds: number | 'kept'
  readonly sockets: SocketRule
  readonly signal: AbortSignal | undefined
}

export interface WrittenAci {
  readonly id: ImageID
  readonly entries: number
  readonly sizeBytes: number
}

const chunkBytes = 262_144

/**
 * Writes a manifest and a directory as an ACI: the same input gives the same bytes. Links of the tree become members, and are never
 * followed.
 *
 * @throws RktError `already-exists`, `invalid-archive` for a file that an image cannot hold, `io`.
 */
export async function writeAci(options: WriteAciOptions): Promise<WrittenAci> {
  const archive = new Archive(options)
  const sizeBytes = await writeOutputFile(options.output, (fd) => writeTo(fd, { source: archive.chunks(), options }))
  return { id: archive.id(), entries: archive.entries, sizeBytes }
}

/** The bytes of the archive, made while they are read, and what was learned from them. */
class Archive {
  readonly #hash: Hash = createHash('sha512')
  readonly #options: WriteAciOptions
  entries = 0

  constructor(options: WriteAciOptions) {
    this.#options = options
  }

  /** The image ID; only after the last chunk. */
  id(): ImageID {
    return parseImageID(`sha512-${this.#hash.digest('hex')}`)
  }

  *chunks(): Generator<Uint8Array> {
    for (const chunk of this.#rawChunks()) {
      this.#options.signal?.throwIfAborted()
      if (chunk.byteLength === 0) continue
      this.#hash.update(chunk)
      yield chunk
    }
  }

  *#rawChunks(): Generator<Uint8Array> {
    const { manifest, mtimeSeconds, tree, sockets } = this.#options
    const sizeBytes = manifest.byteLength
    yield encodeEntry({ path: 'manifest', type: 'File', mode: 0o644, uid: 0, gid: 0, sizeBytes, xattrs: [] }, mtimeSeconds === 'kept' ? 0 : mtimeSeconds)
    yield manifest
    yield padding(sizeBytes)
    for (const found of walkTree(tree, { archivePath: 'rootfs', sockets })) {
      this.entries += 1
      yield encodeEntry(found.entry, mtimeSeconds === 'kept' ? found.mtimeSeconds : mtimeSeconds)
      yield* contentOf(found)
    }
    yield new Uint8Array(2 * blockBytes)
  }
}

function* contentOf({ entry, file }: FoundEntry): Generator<Uint8Array> {
  if (file === undefined || entry.sizeBytes === 0) return
  const fd = openContent(file)
  try {
    let left = entry.sizeBytes
    while (left > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(left, chunkBytes))
      const count = readSync(fd, chunk)
      if (count === 0) throw new RktError('io', `cannot add ${quote(file)}: it became shorter while it was read`)
      left -= count
      yield chunk.subarray(0, count)
    }
  } finally {
    closeSync(fd)
  }
  yield padding(entry.sizeBytes)
}

function openContent(file: string): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    throw new RktError('io', `cannot read ${quote(file)}: ${errorText(cause)}`, { cause })
  }
}

interface WriteToOptions {
  readonly source: Iterable<Uint8Array>
  readonly options: WriteAciOptions
}

/** Writes everything to `fd`; Node's gzip header has no name and no time. Returns how many bytes were written. */
async function writeTo(fd: number, { source, options }: WriteToOptions): Promise<number> {
  let sizeBytes = 0
  const sink = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) {
      writing(options.output, () => writeWhole(fd, chunk))
      sizeBytes += chunk.byteLength
    }
  }
  const readable = Readable.from(source, { objectMode: false, highWaterMark: chunkBytes })
  if (options.compression === 'none') await pipeline(readable, sink)
  else await pipeline(readable, createGzip({ level: 6, chunkSize: chunkBytes }), sink)
  return sizeBytes
}
