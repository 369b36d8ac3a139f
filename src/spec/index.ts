export { isEnvironmentName, type App, type EnvironmentVariable, type EventHandler, type MountPoint, type Port } from './app.ts'
export { parseImageManifest, readImageManifest, type Dependency, type ImageManifest } from './image-manifest.ts'
export { asIsolation, type Isolation, type IsolationLevel, isolationLevels, isolationText, parseIsolation, reachesLevel } from './isolation.ts'
export { signatureKinds, type CosignAnnotations, type RawSignature, type SignatureKind } from './image-signature.ts'
export { isIPAddress } from './ip.ts'
export type { Isolator, IsolatorKind, IsolatorOf } from './isolator.ts'
export { valueOf, type Annotation, type Label } from './labels.ts'
export { imageManifestToJson, podManifestToJson } from './manifest-json.ts'
export { asACIdentifier, asACName, parseACIdentifier, parseACName, sanitizeACName, type ACIdentifier, type ACName } from './names.ts'
export { checkPlatform, hostPlatform, type Platform } from './platform.ts'
export {
  makeIsolator,
  parseCapabilitiesFlag,
  parseCpuFlag,
  parseCpuSharesFlag,
  parseMemoryFlag,
  parseOomScoreAdjFlag,
  parseSeccompFlag,
  parseSupplementaryGIDs,
  replaceIsolator,
} from './override-flags.ts'
export { parseGoBoolean } from './parameters.ts'
export { parsePodManifest, readPodManifest, type ExposedPort, type Mount, type PodManifest, type RuntimeApp, type RuntimeImage } from './pod-manifest.ts'
export { asQuantity, parseQuantity, type Quantity } from './quantity.ts'
export { appcVersion, isACVersion } from './version.ts'
export type { EmptyVolume, HostVolume, Volume } from './volume.ts'
export { parseMountFlag, parseVolumeFlag, type MountFlag } from './volume-flags.ts'
