export { isEnvironmentName, primaryGroup, type App, type EnvironmentVariable, type EventHandler, type MountPoint, type Port } from './app.ts'
export { companionTag, formatDockerReference, hubIdentifier, identifierOf, isTag, parseDockerReference, type DockerReference } from './docker-reference.ts'
export { parseImageManifest, readImageManifest, type Dependency, type ImageManifest } from './image-manifest.ts'
export { rawSignature, signatureKinds, type CosignAnnotations, type RawSignature, type SignatureKind } from './image-signature.ts'
export { isIPAddress } from './ip.ts'
export { asIsolation, type Isolation, type IsolationLevel, isolationLevels, isolationText, parseIsolation, reachesLevel } from './isolation.ts'
export type { Isolator, IsolatorKind, IsolatorOf } from './isolator.ts'
export { valueOf, type Annotation, type Label } from './labels.ts'
export { imageManifestToJson, podManifestToJson } from './manifest-json.ts'
export { asACIdentifier, asACName, parseACIdentifier, parseACName, sanitizeACName, type ACIdentifier, type ACName } from './names.ts'
export type { ExtensionSignature, OciArtifacts, OciTarget } from './oci-artifacts.ts'
export { readOciConfig, type OciConfig, type OciRunConfig } from './oci-config.ts'
export type { OciDescriptor, OciPlatform } from './oci-descriptor.ts'
export { readOciDocument, type OciDocument, type OciIndex, type OciManifest } from './oci-document.ts'
export { checkConfigOf, checkImageManifest, formatPlatform, type OciBlob, type OciImage } from './oci-image.ts'
export { documentKind, layerCompression, ociMediaTypes, type LayerCompression } from './oci-media-types.ts'
export { appcArch, hostOciPlatform, selectPlatform } from './oci-platform.ts'
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
export { checkPlatform, hostPlatform, type Platform } from './platform.ts'
export { parsePodManifest, readPodManifest, type ExposedPort, type Mount, type PodManifest, type RuntimeApp, type RuntimeImage } from './pod-manifest.ts'
export { asQuantity, parseQuantity, type Quantity } from './quantity.ts'
export { isBundleType, signatureMediaTypes } from './signature-media-types.ts'
export { appcVersion, isACVersion } from './version.ts'
export { parseMountFlag, parseMountVolumeFlag, parseVolumeFlag, type MountFlag } from './volume-flags.ts'
export { emptyVolumeDefaults, type EmptyVolume, type HostVolume, type Propagation, type Volume } from './volume.ts'
export { signalNumber, signalText, stopSignalAnnotation } from './stop-signal.ts'
