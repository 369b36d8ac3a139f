import { createReadStream } from 'node:fs'
import { limits, parseDigest, quote, RktError, type Digest } from '../../../base/index.ts'
import type { OciDescriptor } from '../../../spec/index.ts'
import { startDeadline } from '../deadline.ts'
import { digestOf, expectDigest } from '../digest.ts'
import { discard, refusedBy, type RegistryRequest, type RegistrySession } from './session.ts'

/** Where else on the same registry a blob may lie, so that it need not be sent. */
export interface UploadOptions {
  readonly signal?: AbortSignal
  readonly mountFrom?: string
}

type Content = Pick<RegistryRequest, 'body'>

/** Writes a small blob unless it is there. @throws RktError `http-status`, and of sending. */
export async function putBytes(session: RegistrySession, bytes: Uint8Array, mediaType: string): Promise<OciDescriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength, urls: [], annotations: {} }
  await upload(session, descriptor, { content: { body: bytes } })
  return descriptor
}

/** Writes a blob from a file unless it is there. @throws RktError `http-status`, and of sending. */
export async function putFile(session: RegistrySession, descriptor: OciDescriptor, { path, ...options }: UploadOptions & { readonly path: string }): Promise<void> {
  // One byte more than it should have would be told by the registry, which takes the digest.
  await upload(session, descriptor, { content: { body: () => createReadStream(path) }, ...options })
}

/** SPEC: OCI distribution-spec, pushing a blob monolithically: POST, then PUT; mounting it from another repository first. */
async function upload(session: RegistrySession, { digest, size }: OciDescriptor, { content, signal, mountFrom }: UploadOptions & { readonly content: Content }): Promise<void> {
  using deadline = startDeadline(signal ?? session.options.signal, { what: digest, ms: limits.registryBlobMs })
  const request: RegistryRequest = { access: 'push', signal: deadline.signal }
  using there = await session.request(`/${session.repository}/blobs/${digest}`, { ...request, method: 'HEAD' })
  await discard(there)
  if (there.status === 200) return session.options.log.debug('image', `blob ${digest} is there already`)
  const mount = mountFrom === undefined ? '' : `?mount=${digest}&from=${encodeURIComponent(mountFrom)}`
  const also = mountFrom === undefined ? {} : { alsoPull: mountFrom }
  using begun = await session.request(`/${session.repository}/blobs/uploads/${mount}`, { ...request, ...also, method: 'POST', headers: { 'Content-Length': '0' } })
  if (begun.status === 201) {
    session.options.log.debug('image', `blob ${digest} is taken over from ${mountFrom ?? session.repository}`)
    return await discard(begun)
  }
  if (begun.status !== 202) throw await refusedBy(begun)
  await discard(begun)
  const location = uploadTarget(begun.headers.location, { from: begun.url, digest })
  session.options.log.debug('image', `sending blob ${digest}`)
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) }
  using ended = await session.request(location, { ...request, ...content, method: 'PUT', headers })
  if (ended.status !== 201 && ended.status !== 204) throw await refusedBy(ended)
  await discard(ended)
}

/** Writes a manifest under its digest, and under a tag when one is given. */
export async function putManifest(
  session: RegistrySession,
  bytes: Uint8Array,
  { mediaType, tag }: { readonly mediaType: string; readonly tag?: string },
): Promise<{ readonly descriptor: OciDescriptor; /** Whether the registry itself lists it for its subject. */ readonly listed: boolean }> {
  const digest = digestOf(bytes)
  using deadline = startDeadline(session.options.signal, { what: digest, ms: limits.registryDocumentMs })
  using response = await session.request(`/${session.repository}/manifests/${tag ?? digest}`, {
    access: 'push',
    signal: deadline.signal,
    method: 'PUT',
    body: bytes,
    headers: { 'Content-Type': mediaType, 'Content-Length': String(bytes.byteLength) },
  })
  if (response.status !== 201 && response.status !== 200 && response.status !== 202) throw await refusedBy(response)
  await discard(response)
  const said = response.headers['docker-content-digest']
  if (typeof said === 'string' && said.startsWith('sha256:')) expectDigest(parseDigest(said), { wanted: digest, from: response.url })
  return { descriptor: { mediaType, digest, size: bytes.byteLength, urls: [], annotations: {} }, listed: response.headers['oci-subject'] !== undefined }
}

/** Attack: a registry that sends the upload, and who asks for it, without protection or elsewhere in our name. */
function uploadTarget(location: string | undefined, { from, digest }: { readonly from: string; readonly digest: Digest }): string {
  const url = location !== undefined && URL.canParse(location, from) ? new URL(location, from) : undefined
  const safe = url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && from.startsWith('http:'))) && url.username === '' && url.password === ''
  if (!safe) throw new RktError('policy-refused', `cannot upload to ${quote(from)}: it wants the content at ${quote(location ?? '')}; expected an https URL`)
  url.searchParams.set('digest', digest)
  return url.href
}
