/**
 * Every bound on untrusted input, in one place. Sizes are bytes, times milliseconds.
 * Reaching one is the error `limit-exceeded`, which names it.
 */
export const limits = {
  /** Text of one JSON document that decides something: manifest, record, configuration. */
  jsonBytes: 4_194_304,
  /** Nesting of objects and arrays in such a document. */
  jsonDepth: 64,
  /** A detached signature. */
  signatureBytes: 65_536,
  /** A Sigstore bundle, or the payload of a cosign signature. */
  bundleBytes: 262_144,
  /** Signatures of one image that are looked at. */
  imageSignatures: 64,
  /** All signatures of one image together, as they are kept for later checks. */
  evidenceBytes: 8_388_608,
  /** A file of public keys. */
  keyBytes: 1_048_576,
  /** A page for discovery. */
  discoveryBytes: 1_048_576,
  /** An image as transferred. */
  blobBytes: 68_719_476_736,
  /** Everything that one archive unpacks to. */
  unpackedBytes: 137_438_953_472,
  /** Members of one archive. */
  archiveEntries: 2_000_000,
  /** A path inside an archive: 255 bytes less than the kernel takes, so that it can also be reached below a data directory. */
  pathBytes: 3840,
  /** One component of a path. */
  nameBytes: 255,
  /** Directories above a file in an archive. */
  pathDepth: 256,
  /** How much more may come out of a decompressor than went in, past the first 64 MiB. */
  compressionRatio: 400,
  /** A user or group database inside an app's tree. */
  userDatabaseBytes: 4_194_304,
  /** A whole HTTP exchange may wait this long without a byte. */
  httpIdleMs: 30_000,
  /** At least this much must arrive in each such time while a body is received. */
  httpWindowBytes: 30_720,
  /** Redirects that are followed. */
  redirects: 10,
  /** Name of an app, volume or port: with a suffix it is a file name. */
  acNameBytes: 200,
  /** Name of an image, label or annotation. */
  acIdentifierBytes: 1024,
  /** One extension header (long name, pax records) within an archive. */
  archiveHeaderBytes: 1_048_576,
  /** Images that one image depends on, counted once for each way that leads to them. */
  dependencyImages: 64,
  /** Images of which each depends on the next. */
  dependencyDepth: 16,
  /** One run of the unpacker. */
  unpackMs: 3_600_000,
  /** Manifests that one OCI index lists. */
  indexManifests: 1000,
  /** An index may name an index; so many documents lead to a manifest. */
  indexDepth: 3,
  /** Blobs that one OCI manifest lists, whatever it is of. */
  manifestLayers: 1000,
  /** Layers of an OCI image, as other tools have it: the options of an overlay mount fit in one page. */
  imageLayers: 127,
  /** A blob of a signature, or of another thing that is read into memory. */
  artifactBytes: 4_194_304,
  /** Manifests that refer to one image. */
  referrers: 256,
  /** Everything that belongs to one small document of a registry: tokens, redirects, retries. */
  registryDocumentMs: 120_000,
  /** Everything that belongs to one blob of a registry, retries included. */
  registryBlobMs: 21_600_000,
  /** Attempts at one request to a registry. */
  registryAttempts: 5,
  /** Blobs of one image that are received at the same time. */
  parallelBlobs: 4,
} as const
