import { setTimeout as sleep } from 'node:timers/promises'
import { isRktError, limits, quote, RktError, type Unverified } from '../../../base/index.ts'
import type { OciBlob, OciDescriptor } from '../../../spec/index.ts'
import type { HttpResponse } from '../../http.ts'
import { openPartial, type Partial } from '../../partial.ts'
import { startDeadline } from '../deadline.ts'
import { digestOf, expectDigest, expectSize } from '../digest.ts'
import { blobAt, blobPath, openIncoming, type Incoming } from '../incoming.ts'
import { readBounded } from '../read-bounded.ts'
import type { ReceiveBlobOptions } from '../source.ts'
import { discard, refusedBy, type RegistrySession } from './session.ts'

/** Below this, beginning again costs less than remembering. */
const resumableBytes = 1_048_576
/** A download that came so far since the last interruption has earned its attempts anew. */
const progressBytes = 16_777_216
const retryMs = 500

/**
 * Receives a blob, resumed where an interruption or an earlier process left it: a blob is named by its digest, so what is there
 * belongs to what comes whoever sends it.
 *
 * @throws RktError `not-found`, `corrupted`, `http-status`, and of receiving.
 */
export async function receiveRegistryBlob(session: RegistrySession, descriptor: OciDescriptor, options: ReceiveBlobOptions): Promise<Unverified<OciBlob>> {
  const target = blobPath(options.into, descriptor)
  const { digest, size } = descriptor
  using partial = options.partials !== undefined && size >= resumableBytes ? openPartial(options.partials, digest) : undefined
  using deadline = startDeadline(options.signal, { what: digest, ms: limits.registryBlobMs })
  await using incoming = await openIncoming(descriptor, { path: partial?.path ?? target, from: `${session.repository}@${digest}` })
  const resumed = await takeOver(partial, { descriptor, incoming, signal: deadline.signal })
  const receiving: Receiving = { session, descriptor, incoming, options: { ...options, signal: deadline.signal } }
  try {
    await receiveAll(receiving)
    incoming.check()
  } catch (error) {
    if (!isRktError(error, 'corrupted')) throw error
    await incoming.restart()
    partial?.restart()
    if (!resumed) throw error
    // The part of an earlier process may have come from a server that lied.
    await receiveAll(receiving)
    incoming.check()
  }
  partial?.finish(target)
  return blobAt(target, descriptor)
}

/** Whether something was there already. */
async function takeOver(partial: Partial | undefined, receiving: Pick<Receiving, 'descriptor' | 'incoming'> & { readonly signal: AbortSignal }): Promise<boolean> {
  const { descriptor, incoming, signal } = receiving
  if (partial === undefined) return false
  const usable = partial.validator?.totalBytes === descriptor.size && partial.sizeBytes > 0
  if (usable) await incoming.takeOver(signal)
  else {
    partial.restart()
    await incoming.restart()
  }
  partial.remember({ ifRange: descriptor.digest, totalBytes: descriptor.size })
  return usable
}

interface Receiving {
  readonly session: RegistrySession
  readonly descriptor: OciDescriptor
  readonly incoming: Incoming
  readonly options: ReceiveBlobOptions
}

async function receiveAll(receiving: Receiving): Promise<void> {
  const { session, descriptor, incoming, options } = receiving
  let failures = 0
  while (incoming.doneBytes < descriptor.size || failures === 0) {
    const startBytes = incoming.doneBytes
    try {
      return await receiveRest(receiving)
    } catch (error) {
      if (!isRktError(error, 'network')) throw error
      failures = incoming.doneBytes - startBytes >= progressBytes ? 1 : failures + 1
      if (failures >= limits.registryAttempts) throw error
      session.options.log.debug('image', `${error.message}; going on at byte ${incoming.doneBytes}`)
      await sleep(retryMs * failures, undefined, { signal: options.signal })
    }
  }
}

async function receiveRest({ session, descriptor, incoming, options }: Receiving): Promise<void> {
  const { digest, size } = descriptor
  const from = incoming.doneBytes
  if (from === size && from > 0) return
  const headers = from === 0 ? {} : { Range: `bytes=${from}-` }
  using response = await session.request(`/${session.repository}/blobs/${digest}`, { headers, signal: options.signal })
  if (response.status === 404) {
    await discard(response)
    throw new RktError('not-found', `cannot fetch blob ${digest} of ${quote(session.repository)}: the registry does not have it`)
  }
  await begin(response, { from, size, incoming })
  for await (const chunk of response.body) {
    await incoming.append(chunk)
    options.onBytes?.(incoming.doneBytes)
  }
}

/** Decides whether the body goes on where the file ends, or is the whole blob. */
async function begin(response: HttpResponse, { from, size, incoming }: { readonly from: number; readonly size: number; readonly incoming: Incoming }): Promise<void> {
  if (response.status === 206 && from > 0) {
    const given = response.headers['content-range'] ?? ''
    if (given === `bytes ${from}-${size - 1}/${size}` || given === `bytes ${from}-${size - 1}/*`) return
    throw new RktError('corrupted', `cannot resume ${quote(response.url)}: the server sent range ${quote(given)}; expected "bytes ${from}-${size - 1}/${size}"`)
  }
  if (response.status === 416 && from > 0) {
    await incoming.restart()
    throw new RktError('network', `cannot resume ${quote(response.url)}: the server does not have that range`)
  }
  if (response.status !== 200) throw await refusedBy(response)
  const announced = response.headers['content-length']
  if (announced !== undefined && /^[0-9]+$/.test(announced)) expectSize(Number(announced), { wanted: size, from: response.url })
  if (from > 0) await incoming.restart()
}

/** A whole small blob in memory; undefined when there is none. @throws RktError as `receiveRegistryBlob`. */
export async function fetchSmallBlob(session: RegistrySession, { digest, size }: Pick<OciDescriptor, 'digest' | 'size'>): Promise<Uint8Array | undefined> {
  if (size > limits.artifactBytes) throw new RktError('limit-exceeded', `cannot fetch blob ${digest}: ${size} bytes; expected at most ${limits.artifactBytes}`)
  using deadline = startDeadline(session.options.signal, { what: digest, ms: limits.registryDocumentMs })
  using response = await session.request(`/${session.repository}/blobs/${digest}`, { signal: deadline.signal })
  if (response.status === 404) {
    await discard(response)
    return undefined
  }
  if (response.status !== 200) throw await refusedBy(response)
  const bytes = await readBounded(response, { maxBytes: limits.artifactBytes })
  expectSize(bytes.byteLength, { wanted: size, from: response.url })
  expectDigest(digestOf(bytes, digest), { wanted: digest, from: response.url })
  return bytes
}
