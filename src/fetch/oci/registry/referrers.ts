import { limits, parseStrictJson, quote, RktError, type Digest } from '../../../base/index.ts'
import { companionTag, ociMediaTypes, readOciDocument, type ExtensionSignature, type OciDescriptor } from '../../../spec/index.ts'
import { startDeadline } from '../deadline.ts'
import { readBounded } from '../read-bounded.ts'
import { fetchManifest } from './manifests.ts'
import { discard, refusedBy, type RegistrySession } from './session.ts'

/**
 * Manifests that refer to `digest`, by the referrers API, or by its tag where a registry has no such API.
 * SPEC: OCI distribution-spec 1.1, listing referrers.
 *
 * @throws RktError `limit-exceeded` for more than `limits.referrers`.
 */
export async function fetchReferrers(session: RegistrySession, digest: Digest, artifactType?: string): Promise<readonly OciDescriptor[]> {
  const found = (await byApi(session, { digest, artifactType })) ?? (await byTag(session, digest))
  if (found.length > limits.referrers) {
    throw new RktError('limit-exceeded', `cannot use referrers of ${digest}: ${found.length} of them; expected at most ${limits.referrers}`)
  }
  return artifactType === undefined ? found : found.filter((one) => one.artifactType === artifactType)
}

interface Asked {
  readonly digest: Digest
  readonly artifactType: string | undefined
}

/** Undefined when the registry has no such API. */
async function byApi(session: RegistrySession, { digest, artifactType }: Asked): Promise<readonly OciDescriptor[] | undefined> {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
  using deadline = startDeadline(session.options.signal, { what: `referrers of ${digest}`, ms: limits.registryDocumentMs })
  const found: OciDescriptor[] = []
  let next: string | undefined = `/${session.repository}/referrers/${digest}${query}`
  while (next !== undefined) {
    using response = await session.request(next, { headers: { Accept: ociMediaTypes.index }, signal: deadline.signal })
    const type = response.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
    if (response.status === 404 || response.status === 400 || response.status === 405 || (response.status === 200 && type !== ociMediaTypes.index)) {
      await discard(response)
      return undefined
    }
    if (response.status !== 200) throw await refusedBy(response)
    const document = readOciDocument(await readBounded(response, { maxBytes: limits.jsonBytes }), ociMediaTypes.index)
    if (document.kind === 'index') found.push(...document.manifests)
    if (found.length > limits.referrers) return found
    next = nextPage(response.headers['link'], response.url)
  }
  return found
}

/** SPEC: RFC 8288. Attack: pages of another host, which would be asked in our name. */
function nextPage(link: string | string[] | undefined, from: string): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(Array.isArray(link) ? link.join(', ') : (link ?? ''))?.[1]
  if (target === undefined || !URL.canParse(target, from)) return undefined
  const url = new URL(target, from)
  if (url.origin !== new URL(from).origin) throw new RktError('policy-refused', `cannot list referrers at ${quote(from)}: the next page is at ${quote(url.origin)}`)
  return url.href
}

async function byTag(session: RegistrySession, digest: Digest): Promise<readonly OciDescriptor[]> {
  const found = await fetchManifest(session, companionTag(digest))
  if (found === undefined) return []
  const document = readOciDocument(found.bytes, found.mediaType)
  return document.kind === 'index' ? document.manifests : []
}

/**
 * Signatures of the extension that some registries have for simple signing.
 * SPEC: the signatures API of container registries of OpenShift: version 2, type `atomic`.
 *
 * @throws RktError `limit-exceeded`, `invalid-json`.
 */
export async function fetchExtensionSignatures(session: RegistrySession, digest: Digest): Promise<readonly ExtensionSignature[]> {
  using deadline = startDeadline(session.options.signal, { what: `signatures of ${digest}`, ms: limits.registryDocumentMs })
  // A server without the extension may answer anything at its path.
  using pinged = await session.request('/', { signal: deadline.signal })
  const offered = pinged.headers['x-registry-supports-signatures'] === '1'
  await discard(pinged)
  if (!offered) return []
  const path = `/extensions/v2/${session.repository}/signatures/${digest}`
  using response = await session.request(path, { signal: deadline.signal, root: true })
  if (response.status !== 200) {
    await discard(response)
    return []
  }
  const json = parseStrictJson(await readBounded(response, { maxBytes: limits.artifactBytes }), { what: `signatures of ${digest}` })
  const list: unknown = typeof json === 'object' && json !== null && 'signatures' in json ? json.signatures : undefined
  if (!Array.isArray(list)) return []
  if (list.length > limits.referrers) {
    throw new RktError('limit-exceeded', `cannot use signatures of ${digest}: ${list.length} of them; expected at most ${limits.referrers}`)
  }
  return list.flatMap((one: unknown) => readSignature(one, digest))
}

/** A signature of another version or type is none of ours. */
function readSignature(one: unknown, digest: Digest): readonly ExtensionSignature[] {
  if (typeof one !== 'object' || one === null || !('schemaVersion' in one) || !('type' in one) || !('name' in one) || !('content' in one)) return []
  const { schemaVersion, type, name, content } = one
  if (schemaVersion !== 2 || type !== 'atomic' || typeof name !== 'string' || typeof content !== 'string') return []
  if (!name.startsWith(`${digest}@`) || !/^[A-Za-z0-9+/]*={0,2}$/.test(content)) return []
  return [{ name, content: Buffer.from(content, 'base64') }]
}
