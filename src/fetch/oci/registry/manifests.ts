import { limits, parseDigest, quote, RktError } from '../../../base/index.ts'
import { isTag, ociMediaTypes, type OciDocument } from '../../../spec/index.ts'
import { startDeadline } from '../deadline.ts'
import { digestOf, expectDigest } from '../digest.ts'
import { readBounded } from '../read-bounded.ts'
import { discard, refusedBy, type RegistrySession } from './session.ts'

const { index, manifest, dockerIndex, dockerManifest } = ociMediaTypes
const accept = [index, manifest, dockerIndex, dockerManifest].join(', ')

/**
 * The manifest or index of a tag or digest; undefined when there is none.
 *
 * @throws RktError `corrupted` when the registry's bytes are not those of the digest that was asked for, or that it says itself.
 */
export async function fetchManifest(session: RegistrySession, tagOrDigest: string): Promise<OciDocument | undefined> {
  const wanted = tagOrDigest.includes(':') ? parseDigest(tagOrDigest) : undefined
  if (wanted === undefined && !isTag(tagOrDigest)) throw new RktError('invalid-reference', `cannot fetch manifest ${quote(tagOrDigest)}: not a tag`)
  const path = `/${session.repository}/manifests/${tagOrDigest}`
  using deadline = startDeadline(session.options.signal, { what: path, ms: limits.registryDocumentMs })
  using response = await session.request(path, { headers: { Accept: accept }, signal: deadline.signal })
  if (response.status === 404) {
    await discard(response)
    return undefined
  }
  if (response.status !== 200) throw await refusedBy(response)
  const bytes = await readBounded(response, { maxBytes: limits.jsonBytes })
  const digest = digestOf(bytes, wanted)
  if (wanted !== undefined) expectDigest(digest, { wanted, from: response.url })
  const said = response.headers['docker-content-digest']
  if (typeof said === 'string' && /^sha(256|512):[0-9a-f]+$/.test(said)) {
    const claimed = parseDigest(said)
    expectDigest(digestOf(bytes, claimed), { wanted: claimed, from: response.url })
  }
  return { mediaType: mediaTypeOf(response.headers['content-type']), digest, bytes }
}

/** Without parameters, in lower case. */
function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
