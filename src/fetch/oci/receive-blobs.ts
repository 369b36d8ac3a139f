import { limits, type Unverified } from '../../base/index.ts'
import type { OciBlob, OciDescriptor } from '../../spec/index.ts'
import type { OciSource, ReceiveBlobsOptions } from './source.ts'

/**
 * Receives blobs, `limits.parallelBlobs` at a time, each digest once; the first failure ends the others. Gives them by digest.
 *
 * @throws RktError as `receiveBlob`, or what `onBlob` throws.
 */
export async function receiveBlobs(
  source: OciSource,
  descriptors: readonly OciDescriptor[],
  options: ReceiveBlobsOptions,
): Promise<ReadonlyMap<string, Unverified<OciBlob>>> {
  const { onProgress, onBlob, signal, ...rest } = options
  const wanted = [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()]
  const totalBytes = wanted.reduce((sum, { size }) => sum + size, 0)
  const done = new Map<string, number>()
  const received = new Map<string, Unverified<OciBlob>>()
  const failure = new AbortController()
  const either = AbortSignal.any([signal, failure.signal])
  let doneBytes = 0
  const report = (digest: string, bytes: number): void => {
    doneBytes += bytes - (done.get(digest) ?? 0)
    done.set(digest, bytes)
    onProgress?.({ phase: 'download', doneBytes, totalBytes })
  }
  const queue = wanted.values()
  const work = async (): Promise<void> => {
    for (const descriptor of queue) {
      either.throwIfAborted()
      const blob = await source.receiveBlob(descriptor, { ...rest, signal: either, onBytes: (bytes) => report(descriptor.digest, bytes) })
      received.set(descriptor.digest, blob)
      await onBlob?.(blob, descriptor)
    }
  }
  const workers = Array.from({ length: Math.min(limits.parallelBlobs, wanted.length) }, async () => {
    try {
      await work()
    } catch (error) {
      failure.abort(error)
      throw error
    }
  })
  const ends = await Promise.allSettled(workers)
  if (failure.signal.aborted) throw failure.signal.reason
  signal.throwIfAborted()
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return received
}
