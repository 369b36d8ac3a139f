import { parseStrictJson, type ImageID } from '../base/index.ts'
import { app, type App } from './app.ts'
import { decodeDocument, type Decoder } from './decode.ts'
import { absolutePath, acIdentifier, imageID, integer, list, object, optional, orElse, required, textAs, textWhere } from './decoders.ts'
import { annotations, labels, type Annotation, type Label } from './labels.ts'
import type { ACIdentifier } from './names.ts'
import { isACVersion } from './version.ts'

/** An image that lies under another. */
export interface Dependency {
  readonly imageName: ACIdentifier
  readonly imageID?: ImageID
  readonly labels: readonly Label[]
  /** Bytes, a hint only; 0 when not said. */
  readonly size: number
}

/** What an image is called, holds and runs; SPEC: appc 0.8.11 aci.md, Image Manifest Schema. */
export interface ImageManifest {
  readonly acKind: 'ImageManifest'
  readonly acVersion: string
  readonly name: ACIdentifier
  readonly labels: readonly Label[]
  readonly app?: App
  readonly annotations: readonly Annotation[]
  readonly dependencies: readonly Dependency[]
  /** Absolute paths: when there are any, the rendered tree has no other files. */
  readonly pathWhitelist: readonly string[]
}

/** A version of the specification. */
export const acVersion: Decoder<string> = textWhere(isACVersion, 'a semantic version')

const dependency: Decoder<Dependency> = object({
  imageName: required(acIdentifier),
  imageID: optional(imageID),
  labels: orElse(labels, () => []),
  size: orElse(integer(0, Number.MAX_SAFE_INTEGER), () => 0),
})

const imageManifest: Decoder<ImageManifest> = object({
  acKind: required(textAs((value) => (value === 'ImageManifest' ? value : undefined), 'ImageManifest')),
  acVersion: required(acVersion),
  name: required(acIdentifier),
  labels: orElse(labels, () => []),
  app: optional(app),
  annotations: orElse(annotations, () => []),
  dependencies: orElse(list(dependency), () => []),
  pathWhitelist: orElse(list(absolutePath), () => []),
})

/**
 * The image manifest in a JSON value.
 *
 * @throws RktError `invalid-manifest` with every fault and its JSON path.
 */
export function parseImageManifest(json: unknown): ImageManifest {
  return decodeDocument(json, { what: 'image manifest', decode: imageManifest })
}

/**
 * The image manifest in the bytes of a file, read as strict JSON.
 *
 * @throws RktError `invalid-json`, `limit-exceeded` or `invalid-manifest`.
 */
export function readImageManifest(bytes: Uint8Array): ImageManifest {
  return parseImageManifest(parseStrictJson(bytes, { what: 'image manifest' }))
}
