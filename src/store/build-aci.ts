import { createHash, randomBytes, type Hash } from 'node:crypto'
import { closeSync, constants, fsyncSync, linkSync, openSync, readFileSync, readSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { errorText, isErrno, limits, parseImageID, quote, RktError, syncDirectory, writeWhole, type ImageID } from '../base/index.ts'
import { readImageManifest, type ImageManifest } from '../spec/index.ts'
import { blockBytes, encodeEntry, padding } from './archive-entry.ts'
import { walkTree, type FoundEntry } from './archive-walk.ts'

export interface BuildAciOptions {
  /** File with the image manifest, which becomes the image's byte for byte. */
  readonly manifestPath: string
  /** Directory that becomes the image's root. */
  readonly rootfs: string
  /** The image to make; its name ends in `.aci`. */
  readonly out: string
  readonly compression: 'gzip' | 'none'
  readonly overwrite: boolean
  /** Time of every member, in seconds since 1970; 0 unless the caller says otherwise (SOURCE_DATE_EPOCH). */
  readonly mtimeSeconds?: number
  readonly signal?: AbortSignal
}

export interface BuiltAci {
  readonly id: ImageID
  readonly manifest: ImageManifest
  readonly entries: number
  readonly sizeBytes: number
}

const chunkBytes = 262_144

/**
 * Makes an image from a manifest and a directory: the same input gives the same bytes, whenever and wherever it is built. Owners,
 * modes, links, devices, FIFOs and extended attributes are those on disk; times are all the same.
 *
 * @throws RktError `invalid-manifest`, `invalid-json`, `already-exists`, `usage` for a bad name of the output, `invalid-archive` for
 * a file that an image cannot hold, `io` when reading or writing fails.
 */
export async function buildAci(options: BuildAciOptions): Promise<BuiltAci> {
  checkOutput(options)
  const manifestBytes = readManifestFile(options.manifestPath)
  const manifest = readImageManifest(manifestBytes)
  const temporary = join(dirname(options.out), `.tmp-${randomBytes(8).toString('hex')}`)
  const fd = creating(options.out, () => openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644))
  try {
    const archive = new Archive(options, manifestBytes)
    const sizeBytes = await writeTo(fd, { source: archive.chunks(), options })
    creating(options.out, () => fsyncSync(fd))
    publish(temporary, options)
    return { id: archive.id(), manifest, entries: archive.entries, sizeBytes }
  } finally {
    closeSync(fd)
    rmSync(temporary, { force: true })
  }
}

/** The bytes of the archive, made while they are read, and what was learned from them. */
class Archive {
  readonly #hash: Hash = createHash('sha512')
  readonly #options: BuildAciOptions
  readonly #manifest: Uint8Array
  entries = 0

  constructor(options: BuildAciOptions, manifest: Uint8Array) {
    this.#options = options
    this.#manifest = manifest
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
    const mtimeSeconds = this.#options.mtimeSeconds ?? 0
    const sizeBytes = this.#manifest.byteLength
    yield encodeEntry({ path: 'manifest', type: 'File', mode: 0o644, uid: 0, gid: 0, sizeBytes, xattrs: [] }, mtimeSeconds)
    yield this.#manifest
    yield padding(sizeBytes)
    for (const found of walkTree(realpathSync(this.#options.rootfs), 'rootfs')) {
      this.entries += 1
      yield encodeEntry(found.entry, mtimeSeconds)
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

function readManifestFile(path: string): Uint8Array {
  try {
    const { size } = statSync(path)
    if (size > limits.jsonBytes) throw new RktError('limit-exceeded', `cannot read ${quote(path)}: ${size} bytes; expected at most ${limits.jsonBytes}`)
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof RktError) throw cause
    throw new RktError('io', `cannot read image manifest ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}

function checkOutput({ out, rootfs, overwrite }: BuildAciOptions): void {
  if (!basename(out).endsWith('.aci')) throw new RktError('usage', `extension must be .aci (given ${out})`)
  const tree = reading(rootfs, 'root directory')
  if (!statSync(tree).isDirectory()) throw new RktError('io', `cannot use root directory ${quote(rootfs)}: not a directory`)
  const target = reading(dirname(out), 'output directory')
  if (`${target}/`.startsWith(tree === '/' ? '/' : `${tree}/`)) {
    throw new RktError('usage', `cannot build ${quote(out)}: it would lie in its own root directory ${quote(rootfs)}`)
  }
  if (!overwrite && statSync(out, { throwIfNoEntry: false }) !== undefined) throw outputExists()
}

function outputExists(): RktError {
  return new RktError('already-exists', 'output ACI file exists (try --overwrite)')
}

function reading(path: string, what: string): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    throw new RktError('io', `cannot use ${what} ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}

function creating<T>(out: string, write: () => T): T {
  try {
    return write()
  } catch (cause) {
    throw new RktError('io', `cannot write ${quote(out)}: ${errorText(cause)}`, { cause })
  }
}

interface WriteToOptions {
  readonly source: Iterable<Uint8Array>
  readonly options: BuildAciOptions
}

/** Writes everything to `fd`; Node's gzip header has no name and no time. Returns how many bytes were written. */
async function writeTo(fd: number, { source, options }: WriteToOptions): Promise<number> {
  let sizeBytes = 0
  const sink = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) {
      creating(options.out, () => writeWhole(fd, chunk))
      sizeBytes += chunk.byteLength
    }
  }
  const readable = Readable.from(source, { objectMode: false, highWaterMark: chunkBytes })
  if (options.compression === 'none') await pipeline(readable, sink)
  else await pipeline(readable, createGzip({ level: 6, chunkSize: chunkBytes }), sink)
  return sizeBytes
}

/** Gives the finished file its name; without `overwrite`, a file that appeared meanwhile stays. */
function publish(temporary: string, { out, overwrite }: BuildAciOptions): void {
  try {
    if (overwrite) renameSync(temporary, out)
    else linkSync(temporary, out)
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) throw outputExists()
    throw new RktError('io', `cannot write ${quote(out)}: ${errorText(cause)}`, { cause })
  }
  syncDirectory(dirname(out))
}
