import { limits, parseStrictJson, quote, RktError, type Digest } from '../base/index.ts'
import { asObject, decodeDocument, fault, type At, type Decoder } from './decode.ts'
import { checked, integer, list, object, optional, orElse, required, textMap } from './decoders.ts'
import { descriptor, mediaType, type OciDescriptor } from './oci-descriptor.ts'
import { documentKind, isSchema1, ociMediaTypes } from './oci-media-types.ts'

/** A list of manifests, one for each platform. SPEC: OCI image-spec image-index.md; Docker's manifest list. */
export interface OciIndex {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly OciDescriptor[]
  readonly annotations: Readonly<Record<string, string>>
  readonly artifactType?: string
  readonly subject?: OciDescriptor
}

/** An image, or another thing made of blobs such as a signature. SPEC: OCI image-spec manifest.md; Docker's schema 2. */
export interface OciManifest {
  readonly kind: 'manifest'
  readonly mediaType: string
  readonly config: OciDescriptor
  /** The lowest first. */
  readonly layers: readonly OciDescriptor[]
  readonly annotations: Readonly<Record<string, string>>
  readonly artifactType?: string
  /** The manifest that this one is about. */
  readonly subject?: OciDescriptor
}

/** The bytes of an index or a manifest, and the digest that was taken of exactly these bytes. */
export interface OciDocument {
  readonly mediaType: string
  readonly digest: Digest
  readonly bytes: Uint8Array
}

const common = {
  mediaType: optional(mediaType),
  annotations: orElse(textMap, () => ({})),
  artifactType: optional(mediaType),
  subject: optional(descriptor),
}

const index = object({ ...common, schemaVersion: required(integer(2, 2)), manifests: required(bounded(limits.indexManifests)) })
const manifest = object({ ...common, schemaVersion: required(integer(2, 2)), config: required(descriptor), layers: required(bounded(limits.manifestLayers)) })

/**
 * Reads an index or a manifest by strict rules: its media type is the one that it was announced with, its members are of that kind
 * and of no other, and everything that it names has a well-formed digest and size.
 *
 * @throws RktError `invalid-json`, `limit-exceeded`, `invalid-manifest`, or `unsupported` for Docker's schema 1.
 */
export function readOciDocument(bytes: Uint8Array, announced: string): OciIndex | OciManifest {
  refuseSchema1(announced)
  if (!isGeneric(announced)) expectDocument(announced)
  const json = parseStrictJson(bytes, { what: 'OCI manifest' })
  const source = asObject(json)
  if (source?.['schemaVersion'] === 1) throw schema1()
  const own = source?.['mediaType']
  if (typeof own === 'string') refuseSchema1(own)
  const type = chooseType(announced, own)
  const kind = expectDocument(type)
  const decode: Decoder<OciIndex | OciManifest> = (at) => {
    refuseBoth(at)
    if (kind === 'index') {
      const found = index(at)
      return found === undefined ? undefined : { ...strip(found), kind, mediaType: type }
    }
    const found = manifest(at)
    return found === undefined ? undefined : { ...strip(found), kind, mediaType: type }
  }
  return decodeDocument(json, { what: kind === 'index' ? 'OCI index' : 'OCI manifest', decode })
}

function expectDocument(type: string): 'index' | 'manifest' {
  const kind = documentKind(type)
  if (kind !== undefined) return kind
  throw new RktError('invalid-manifest', `cannot use OCI manifest: media type ${quote(type)}; expected an image index or an image manifest`)
}

/** Types that say no more than that there are bytes. */
function isGeneric(type: string): boolean {
  return type === '' || type === 'application/json' || type === 'application/octet-stream' || type === 'text/plain'
}

function strip<T extends { readonly schemaVersion: number }>({ schemaVersion: _two, ...rest }: T): Omit<T, 'schemaVersion'> {
  return rest
}

/** Servers that send any JSON with a type of its own leave the word to the document; all others must agree with it. */
function chooseType(announced: string, own: unknown): string {
  if (typeof own !== 'string' || own === '') {
    const known = announced === ociMediaTypes.index || announced === ociMediaTypes.manifest
    if (!known) {
      throw new RktError('invalid-manifest', `cannot use OCI manifest: it has no media type and was announced as ${quote(announced)}; expected a "mediaType" member`)
    }
    return announced
  }
  if (isGeneric(announced) || announced === own) return own
  throw new RktError('invalid-manifest', `cannot use OCI manifest: announced as ${quote(announced)}, calls itself ${quote(own)}; expected the same media type`)
}

/** Attack: a document that one reader takes for an index and another for an image has one digest and two contents. */
function refuseBoth(at: At): void {
  const source = asObject(at.value)
  if (source === undefined) return
  const has = (name: string): boolean => Object.keys(source).some((key) => key.toLowerCase() === name)
  if (has('manifests') && (has('config') || has('layers') || has('fslayers'))) fault(at, 'members of both an index and a manifest; expected those of one')
}

function bounded(most: number): Decoder<readonly OciDescriptor[]> {
  return checked(list(descriptor), (value, at) => {
    if (value.length > most) fault(at, `${value.length} elements; expected at most ${most}`)
  })
}

function refuseSchema1(type: string): void {
  if (isSchema1(type)) throw schema1()
}

function schema1(): RktError {
  return new RktError('unsupported', 'cannot use OCI manifest: it is of Docker schema 1, which no digest protects; expected schema 2 or OCI', {
    hint: 'have the image pushed again by a current tool, such as "skopeo copy --format oci"',
  })
}
