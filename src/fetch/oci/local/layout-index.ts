import { limits, quote, RktError } from '../../../base/index.ts'
import { documentKind, ociMediaTypes, readOciDocument, type OciDescriptor, type OciIndex, type OciPlatform } from '../../../spec/index.ts'
import { readWhole, type Files } from './files.ts'

/** SPEC: OCI image-spec annotations.md, and containerd's name for the same thing. */
const refName = 'org.opencontainers.image.ref.name'
const fullName = 'io.containerd.image.name'

/** Everything that a layout lists. @throws RktError `invalid-manifest`, `not-found` when it is no layout. */
export async function readLayoutIndex(files: Files): Promise<OciIndex> {
  const tooLarge = (): RktError => new RktError('limit-exceeded', `cannot read index of ${quote(files.text)}: expected at most ${limits.jsonBytes} bytes`)
  const bytes = await readWhole(files, { name: 'index.json', maxBytes: limits.jsonBytes, tooLarge })
  if (bytes === undefined) throw new RktError('not-found', `cannot use ${quote(files.text)}: there is no "index.json"; expected an OCI image layout`)
  const index = readOciDocument(bytes, ociMediaTypes.index)
  if (index.kind !== 'index') throw new RktError('invalid-manifest', `cannot use index of ${quote(files.text)}: it is none`)
  return index
}

/** What an entry is called: a tag, a full name, or both. */
export function namesOf({ annotations }: OciDescriptor): readonly string[] {
  return [annotations[fullName] ?? '', annotations[refName] ?? ''].filter((name) => name !== '')
}

/**
 * The entry that a reference means; without one, the only image that there is.
 *
 * @throws RktError `not-found`, `ambiguous` with the names to choose from.
 */
export function chooseEntry(index: OciIndex, { ref, text, platform }: { readonly ref: string | undefined; readonly text: string; readonly platform: OciPlatform }): OciDescriptor {
  const images = index.manifests.filter((entry) => documentKind(entry.mediaType) !== undefined && !isCompanion(entry))
  const wanted = ref === undefined ? images : index.manifests.filter((entry) => entry.digest === ref || namesOf(entry).includes(ref))
  const digests = new Set(wanted.map(({ digest }) => digest))
  const [first] = wanted
  if (first !== undefined && digests.size === 1) return first
  const fitting = wanted.filter((entry) => entry.platform?.os === platform.os && entry.platform.architecture === platform.architecture)
  const [only] = fitting
  if (only !== undefined && fitting.length === 1 && wanted.every((entry) => entry.platform !== undefined)) return only
  const names = [...new Set(images.flatMap(namesOf))].slice(0, 20).map(quote).join(', ')
  const hint = names === '' ? {} : { hint: `name one of ${names} after a colon` }
  if (first === undefined) throw new RktError('not-found', `cannot use ${quote(text)}: there is no such image in it`, hint)
  throw new RktError('ambiguous', `cannot use ${quote(text)}: it holds ${digests.size} images`, hint)
}

/** Signatures and the like, which are kept beside images under names made of digests, or as images that are about another one. */
function isCompanion(entry: OciDescriptor): boolean {
  const kind = entry.annotations['kind'] ?? ''
  const tagged = namesOf(entry).some((name) => /(?:^|:)sha(?:256|512)-[0-9a-f]{64}/.test(name))
  return tagged || entry.artifactType !== undefined || (kind.startsWith('dev.cosignproject.cosign/') && kind !== 'dev.cosignproject.cosign/image' && kind !== 'dev.cosignproject.cosign/imageIndex')
}
