import { digestParts, limits, quote, RktError, type Unverified } from '../../../base/index.ts'
import type { OciBlob, OciDescriptor } from '../../../spec/index.ts'
import { digestOf, expectDigest, expectSize } from '../digest.ts'
import { blobAt, blobPath, openIncoming } from '../incoming.ts'
import type { ReceiveBlobOptions } from '../source.ts'
import { readWhole, type Files, type FileRange } from './files.ts'

const chunkBytes = 1_048_576

/** Name of a blob's file in a layout. */
export function layoutBlobName({ digest }: Pick<OciDescriptor, 'digest'>): string {
  const { algorithm, hex } = digestParts(digest)
  return `blobs/${algorithm}/${hex}`
}

/** Copies a blob, hashed while it is written. @throws RktError `not-found`, `corrupted`, `io`. */
export async function receiveLocalBlob(files: Files, descriptor: OciDescriptor, options: ReceiveBlobOptions & { readonly name: string }): Promise<Unverified<OciBlob>> {
  const path = blobPath(options.into, descriptor)
  const from = `${files.text}/${options.name}`
  await using range = await files.open(options.name)
  if (range === undefined) throw new RktError('not-found', `cannot read blob ${descriptor.digest} of ${quote(files.text)}: it is not there`)
  expectSize(range.size, { wanted: descriptor.size, from })
  await using incoming = await openIncoming(descriptor, { path, from })
  await incoming.restart()
  for await (const chunk of chunksOf(range)) {
    options.signal.throwIfAborted()
    await incoming.append(chunk)
    options.onBytes?.(incoming.doneBytes)
  }
  incoming.check()
  return blobAt(path, descriptor)
}

/** A whole small blob; undefined when it is not there. @throws RktError `corrupted`, `limit-exceeded`. */
export async function readSmallBlob(files: Files, { digest, size }: Pick<OciDescriptor, 'digest' | 'size'>): Promise<Uint8Array | undefined> {
  const name = layoutBlobName({ digest })
  const tooLarge = (): RktError => new RktError('limit-exceeded', `cannot read blob ${digest} of ${quote(files.text)}: expected at most ${limits.artifactBytes} bytes`)
  const bytes = await readWhole(files, { name, maxBytes: limits.artifactBytes, tooLarge })
  if (bytes === undefined) return undefined
  const from = `${files.text}/${name}`
  expectSize(bytes.byteLength, { wanted: size, from })
  expectDigest(digestOf(bytes, digest), { wanted: digest, from })
  return bytes
}

/** The content of a range; the buffer of one chunk serves for the next. */
export async function* chunksOf({ file, start, size }: FileRange): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, Math.max(size, 1)))
  let done = 0
  while (done < size) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.byteLength, size - done), start + done)
    if (bytesRead === 0) return
    done += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
