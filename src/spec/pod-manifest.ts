import { parseStrictJson, quote, type ImageID } from '../base/index.ts'
import { app, port, type App, type Port } from './app.ts'
import { decodeDocument, type Decoder } from './decode.ts'
import {
  acIdentifier,
  acName,
  filledText,
  flag,
  imageID,
  integer,
  list,
  object,
  optional,
  orElse,
  required,
  textAs,
  textMap,
  textWhere,
  uniqueList,
} from './decoders.ts'
import { acVersion } from './image-manifest.ts'
import { isIPAddress } from './ip.ts'
import type { Isolator } from './isolator.ts'
import { isolator } from './isolators.ts'
import { annotations, labels, type Annotation, type Label } from './labels.ts'
import type { ACIdentifier, ACName } from './names.ts'
import { volume, type Volume } from './volume.ts'

/** The image of an app, pinned by its ID. */
export interface RuntimeImage {
  readonly name?: ACIdentifier
  readonly id: ImageID
  readonly labels: readonly Label[]
}

/** A volume, and where one app sees it. */
export interface Mount {
  readonly volume: ACName
  /** Path inside the app. */
  readonly path: string
  /** The volume itself, when it belongs to this app alone. */
  readonly appVolume?: Volume
}

/** One app of a pod. */
export interface RuntimeApp {
  readonly name: ACName
  readonly image: RuntimeImage
  /** Left out: that of the image. */
  readonly app?: App
  readonly readOnlyRootFS: boolean
  readonly mounts: readonly Mount[]
  readonly annotations: readonly Annotation[]
}

/** A port of the host that leads to one of the pod. */
export interface ExposedPort {
  readonly name: ACName
  readonly hostPort: number
  /** Left out: every address of the host. */
  readonly hostIP?: string
  /** Left out: the port of this name of one of the apps. */
  readonly podPort?: Port
}

/** What runs together; SPEC: appc 0.8.11 pods.md, Pod Manifest Schema. */
export interface PodManifest {
  readonly acVersion: string
  readonly acKind: 'PodManifest'
  readonly apps: readonly RuntimeApp[]
  readonly volumes: readonly Volume[]
  readonly isolators: readonly Isolator[]
  readonly annotations: readonly Annotation[]
  readonly ports: readonly ExposedPort[]
  readonly userAnnotations: Readonly<Record<string, string>>
  readonly userLabels: Readonly<Record<string, string>>
}

const mount: Decoder<Mount> = object({ volume: required(acName), path: required(filledText), appVolume: optional(volume) })

const runtimeApp: Decoder<RuntimeApp> = object({
  name: required(acName),
  image: required(object({ name: optional(acIdentifier), id: required(imageID), labels: orElse(labels, () => []) })),
  app: optional(app),
  readOnlyRootFS: orElse(flag, () => false),
  mounts: orElse(list(mount), () => []),
  annotations: orElse(annotations, () => []),
})

const exposedPort: Decoder<ExposedPort> = object({
  name: required(acName),
  hostPort: required(integer(1, 65535)),
  hostIP: optional(textWhere(isIPAddress, 'an IP address')),
  podPort: optional(port),
})

const podManifest: Decoder<PodManifest> = object({
  acVersion: required(acVersion),
  acKind: required(textAs((value) => (value === 'PodManifest' ? value : undefined), 'PodManifest')),
  apps: orElse(
    uniqueList(runtimeApp, { key: (one) => one.name, problem: (name) => `duplicate apps of name ${quote(name)}` }),
    () => [],
  ),
  volumes: orElse(
    uniqueList(volume, { key: (one) => one.name, problem: (name) => `duplicate volume name ${quote(name)}` }),
    () => [],
  ),
  isolators: orElse(list(isolator), () => []),
  annotations: orElse(annotations, () => []),
  ports: orElse(list(exposedPort), () => []),
  userAnnotations: orElse(textMap, () => ({})),
  userLabels: orElse(textMap, () => ({})),
})

/**
 * The pod manifest in a JSON value; a pod without apps is one (a mutable pod begins so).
 *
 * @throws RktError `invalid-manifest` with every fault and its JSON path.
 */
export function parsePodManifest(json: unknown): PodManifest {
  return decodeDocument(json, { what: 'pod manifest', decode: podManifest })
}

/**
 * The pod manifest in the bytes of a file, read as strict JSON.
 *
 * @throws RktError `invalid-json`, `limit-exceeded` or `invalid-manifest`.
 */
export function readPodManifest(bytes: Uint8Array): PodManifest {
  return parsePodManifest(parseStrictJson(bytes, { what: 'pod manifest' }))
}
