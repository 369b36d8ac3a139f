import { limits, parseDigest, type Digest } from '../base/index.ts'
import type { Decoder } from './decode.ts'
import { filledText, integer, list, object, optional, orElse, required, text, textAs, textMap } from './decoders.ts'

/** SPEC: OCI image-spec image-index.md; the names are those of Go. */
export interface OciPlatform {
  readonly os: string
  readonly architecture: string
  /** Such as `v7`; empty when there is none. */
  readonly variant: string
}

/** What names a blob: its type, digest and size. SPEC: OCI image-spec descriptor.md. */
export interface OciDescriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  /** Where a blob could be had besides the registry; such blobs are refused. */
  readonly urls: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
  readonly artifactType?: string
  readonly platform?: OciPlatform
}

const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

/** SPEC: RFC 6838 §4.2; parameters are not part of the type. */
export const mediaType: Decoder<string> = textAs((value) => (mediaTypePattern.test(value) ? value : undefined), 'a media type')

export const digest: Decoder<Digest> = textAs(asDigest, 'sha256: and 64, or sha512: and 128 hexadecimal digits in lower case')

export const platform: Decoder<OciPlatform> = object({ os: required(filledText), architecture: required(filledText), variant: orElse(text, () => '') })

export const descriptor: Decoder<OciDescriptor> = object({
  mediaType: required(mediaType),
  digest: required(digest),
  size: required(integer(0, limits.blobBytes)),
  urls: orElse(list(text), () => []),
  annotations: orElse(textMap, () => ({})),
  artifactType: optional(text),
  platform: optional(platform),
})

function asDigest(value: string): Digest | undefined {
  return /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(value) ? parseDigest(value) : undefined
}
