import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errorText, limits, quote, RktError } from '../base/index.ts'
import { readImageManifest, type ImageManifest } from '../spec/index.ts'
import { checkOutputFile, type OutputFile } from './output-file.ts'
import { writeAci, type WrittenAci } from './write-aci.ts'

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

export interface BuiltAci extends WrittenAci {
  readonly manifest: ImageManifest
}

/**
 * Makes an image from a manifest and a directory: the same input gives the same bytes, whenever and wherever it is built. Owners,
 * modes, links, devices, FIFOs and extended attributes are those on disk; times are all the same.
 *
 * @throws RktError `invalid-manifest`, `invalid-json`, `already-exists`, `usage` for a bad name of the output, `invalid-archive` for
 * a file that an image cannot hold, `io` when reading or writing fails.
 */
export async function buildAci(options: BuildAciOptions): Promise<BuiltAci> {
  const output: OutputFile = { path: options.out, overwrite: options.overwrite, existsText: 'output ACI file exists (try --overwrite)' }
  checkPlaces(options)
  checkOutputFile(output)
  const bytes = readManifestFile(options.manifestPath)
  const manifest = readImageManifest(bytes)
  const written = await writeAci({
    manifest: bytes,
    tree: realpathSync(options.rootfs),
    output,
    compression: options.compression,
    mtimeSeconds: options.mtimeSeconds ?? 0,
    sockets: { kind: 'refuse' },
    signal: options.signal,
  })
  return { ...written, manifest }
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

function checkPlaces({ out, rootfs }: BuildAciOptions): void {
  if (!basename(out).endsWith('.aci')) throw new RktError('usage', `extension must be .aci (given ${out})`)
  const tree = reading(rootfs, 'root directory')
  if (!statSync(tree).isDirectory()) throw new RktError('io', `cannot use root directory ${quote(rootfs)}: not a directory`)
  const target = reading(dirname(out), 'output directory')
  if (`${target}/`.startsWith(tree === '/' ? '/' : `${tree}/`)) {
    throw new RktError('usage', `cannot build ${quote(out)}: it would lie in its own root directory ${quote(rootfs)}`)
  }
}

function reading(path: string, what: string): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    throw new RktError('io', `cannot use ${what} ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}
