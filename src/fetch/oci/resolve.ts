import { limits, quote, RktError, unverified, type Digest } from '../../base/index.ts'
import {
  checkImageManifest,
  readOciDocument,
  selectPlatform,
  type ACIdentifier,
  type DockerReference,
  type Label,
  type OciDescriptor,
  type OciDocument,
  type OciPlatform,
} from '../../spec/index.ts'
import { expectSize } from './digest.ts'
import type { ResolvedImage } from './source.ts'

export interface ResolveOptions {
  readonly text: string
  readonly name: ACIdentifier
  readonly labels: readonly Label[]
  readonly nameSource: 'requested' | 'self-declared'
  readonly fullName: DockerReference | undefined
  readonly platform: OciPlatform
  /** What named the first document, when that was an entry of a layout. */
  readonly entry?: OciDescriptor
  /** Documents by digest, whose bytes have that digest. */
  readonly fetch: (digest: Digest) => Promise<OciDocument | undefined>
}

/**
 * Follows a document down to the manifest of an image for a platform.
 *
 * @throws RktError `not-found`, `invalid-manifest`, `corrupted`, `limit-exceeded`, `unsupported`.
 */
export async function resolveChain(first: OciDocument, options: ResolveOptions): Promise<ResolvedImage> {
  const chain: OciDocument[] = [first]
  let platform = options.entry?.platform
  let document = readOciDocument(first.bytes, first.mediaType)
  while (document.kind === 'index') {
    if (chain.length >= limits.indexDepth) throw new RktError('limit-exceeded', `cannot use OCI index: ${chain.length} of them lead to no manifest`)
    const entry = selectPlatform(document, options.platform)
    const child = await options.fetch(entry.digest)
    if (child === undefined) throw new RktError('not-found', `cannot fetch manifest ${entry.digest} of ${quote(options.text)}: the index names it, but it is not there`)
    checkChild(child, { entry, text: options.text })
    chain.push({ ...child, mediaType: entry.mediaType })
    platform = entry.platform ?? platform
    document = readOciDocument(child.bytes, entry.mediaType)
  }
  checkImageManifest(document)
  const { text, name, labels, nameSource, fullName } = options
  const reference = nameSource === 'requested' ? fullName : undefined
  const digests = chain.map(({ digest }) => digest)
  return { text, name, labels, nameSource, reference, fullName, digests, image: unverified({ chain, manifest: document, platform }) }
}

/** Attack: an entry whose document is of another size or type than the index says. */
export function checkChild(child: OciDocument, { entry, text }: { readonly entry: OciDescriptor; readonly text: string }): void {
  expectSize(child.bytes.byteLength, { wanted: entry.size, from: text })
  const generic = child.mediaType === '' || !child.mediaType.includes('vnd.')
  if (!generic && child.mediaType !== entry.mediaType) {
    throw new RktError('invalid-manifest', `cannot use manifest ${entry.digest}: announced as ${quote(child.mediaType)}; expected ${quote(entry.mediaType)}, as the index says`)
  }
}
