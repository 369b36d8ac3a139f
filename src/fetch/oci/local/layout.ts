import { limits, parseDigest, quote, RktError, type Digest } from '../../../base/index.ts'
import { companionTag, documentKind, readOciDocument, type OciDescriptor, type OciDocument } from '../../../spec/index.ts'
import { digestOf, expectDigest } from '../digest.ts'
import { referrerOf } from '../referrer-list.ts'
import { formatOciReference, type LocalOciReference } from '../reference.ts'
import { checkChild, resolveChain } from '../resolve.ts'
import type { OciSource, OciSourceOptions } from '../source.ts'
import { openArchiveFiles } from './archive-files.ts'
import { declaredName } from './declared-name.ts'
import { openDirectoryFiles } from './directory-files.ts'
import { readWhole, type Files } from './files.ts'
import { chooseEntry, namesOf, readLayoutIndex } from './layout-index.ts'
import { layoutBlobName, readSmallBlob, receiveLocalBlob } from './receive.ts'

/** An image layout in a directory. @throws RktError `not-found`, `io`. */
export async function openLayout(reference: LocalOciReference, options: OciSourceOptions): Promise<OciSource> {
  return openLayoutFiles(await openDirectoryFiles(reference.path), { reference, options })
}

/** An image layout in a tar archive. @throws RktError `not-found`, `io`, `invalid-archive`. */
export async function openLayoutArchive(reference: LocalOciReference, options: OciSourceOptions): Promise<OciSource> {
  return openLayoutFiles(await openArchiveFiles(reference.path), { reference, options })
}

interface Opening {
  readonly reference: LocalOciReference
  readonly options: OciSourceOptions
}

export function openLayoutFiles(files: Files, { reference, options }: Opening): OciSource {
  const text = formatOciReference(reference)
  const document = (digest: Digest, mediaType: string): Promise<OciDocument | undefined> => readDocument(files, { digest, mediaType })
  return {
    resolve: async (platform) => {
      options.log.debug('image', `using image from ${text}`)
      const entry = chooseEntry(await readLayoutIndex(files), { ref: reference.ref, text, platform })
      const first = await document(entry.digest, entry.mediaType)
      if (first === undefined) throw new RktError('not-found', `cannot read manifest ${entry.digest} of ${quote(text)}: it is not there`)
      checkChild(first, { entry, text })
      const named = declaredName([...namesOf(entry), ...(reference.ref === undefined ? [] : [reference.ref])], reference.path)
      return resolveChain(first, { text, ...named, nameSource: 'self-declared', platform, entry, fetch: (child) => document(child, '') })
    },
    receiveBlob: (descriptor, receiving) => receiveLocalBlob(files, descriptor, { ...receiving, name: layoutBlobName(descriptor) }),
    manifest: async (tagOrDigest) => {
      const index = await readLayoutIndex(files)
      const entry = index.manifests.find((one) => one.digest === tagOrDigest || namesOf(one).some((name) => name === tagOrDigest || name.endsWith(`:${tagOrDigest}`)))
      if (entry !== undefined) return document(entry.digest, entry.mediaType)
      return tagOrDigest.includes(':') ? document(parseDigest(tagOrDigest), '') : undefined
    },
    referrers: async (digest, artifactType) => {
      const found = await referrersIn(files, digest)
      return artifactType === undefined ? found : found.filter((one) => one.artifactType === artifactType)
    },
    smallBlob: (descriptor) => readSmallBlob(files, descriptor),
    extensionSignatures: async () => [],
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  }
}

/** A document with exactly the digest that was asked for. */
async function readDocument(files: Files, { digest, mediaType }: { readonly digest: Digest; readonly mediaType: string }): Promise<OciDocument | undefined> {
  const name = layoutBlobName({ digest })
  const tooLarge = (): RktError => new RktError('limit-exceeded', `cannot read manifest ${digest} of ${quote(files.text)}: expected at most ${limits.jsonBytes} bytes`)
  const bytes = await readWhole(files, { name, maxBytes: limits.jsonBytes, tooLarge })
  if (bytes === undefined) return undefined
  expectDigest(digestOf(bytes, digest), { wanted: digest, from: `${files.text}/${name}` })
  return { mediaType, digest, bytes }
}

/** A layout has no list of referrers: entries of its index are read for their subject, and the tag of registries is looked for. */
async function referrersIn(files: Files, digest: Digest): Promise<readonly OciDescriptor[]> {
  const index = await readLayoutIndex(files)
  const tag = companionTag(digest)
  const found = new Map<string, OciDescriptor>()
  let read = 0
  for (const entry of index.manifests) {
    if (documentKind(entry.mediaType) === undefined) continue
    read += 1
    if (read > limits.referrers) throw new RktError('limit-exceeded', `cannot use referrers in ${quote(files.text)}: expected at most ${limits.referrers} manifests`)
    const raw = await readDocument(files, entry)
    if (raw === undefined) continue
    if (namesOf(entry).includes(tag)) {
      const list = readOciDocument(raw.bytes, entry.mediaType)
      if (list.kind === 'index') for (const one of list.manifests) found.set(one.digest, one)
    }
    const referrer = referrerOf(raw.bytes, entry)
    if (referrer?.subject === digest) found.set(entry.digest, referrer.entry)
  }
  return [...found.values()]
}
