import type { Digest, Unverified } from '../../base/index.ts'
import type { ACIdentifier, DockerReference, Label, OciArtifacts, OciBlob, OciDescriptor, OciImage, OciPlatform } from '../../spec/index.ts'
import type { HttpOptions } from '../http.ts'
import type { OnProgress } from '../progress.ts'

/** User and password of a registry. */
export interface RegistryLogin {
  readonly user: string
  readonly password: string
}

/** Logins of the configuration. */
export interface RegistryLogins {
  /** For exactly this registry, as references name it: `docker.io`, `quay.io`, `localhost:5000`. */
  find(host: string): RegistryLogin | undefined
}

export interface OciSourceOptions extends Omit<HttpOptions, 'headers'> {
  readonly logins?: RegistryLogins
}

export interface ReceiveBlobOptions {
  /** A scratch directory of the caller; the blob becomes its file `<algorithm>-<hex>`. */
  readonly into: string
  /** Where interrupted downloads wait for the next attempt. */
  readonly partials?: string
  readonly signal: AbortSignal
  /** Bytes of this blob that are there. */
  readonly onBytes?: (doneBytes: number) => void
}

/** An image as the source has it now. */
export interface ResolvedImage {
  /** The reference in full. */
  readonly text: string
  /** What the image is called: the requested name for a registry, its own for files. */
  readonly name: ACIdentifier
  /** `version` (the tag); os and arch are in the config, which nobody has read yet. */
  readonly labels: readonly Label[]
  readonly nameSource: 'requested' | 'self-declared'
  /** What a registry was asked for; undefined for files. */
  readonly reference: DockerReference | undefined
  /** As `reference`; for files the full name by which the image calls itself, when it has one: lookaside places are found by it. */
  readonly fullName: DockerReference | undefined
  /** Of the documents of the chain, taken of the bytes that came: that of what the reference named, then down to the manifest. */
  readonly digests: readonly Digest[]
  readonly image: Unverified<OciImage>
}

/** One repository of a registry, one layout or one archive. */
export interface OciSource extends OciArtifacts, AsyncDisposable {
  /**
   * Finds the image of the reference for a platform: index and manifest are read by strict rules, each named by digest in the one
   * above; nothing else is fetched.
   *
   * @throws RktError `not-found`, `invalid-manifest`, `unsupported`, and of receiving.
   */
  resolve(platform: OciPlatform): Promise<ResolvedImage>
  /**
   * Receives a blob in one pass: hashed while it is written; digest and size are those of the descriptor, or it is an error.
   *
   * @throws RktError `not-found`, `corrupted` for other bytes, `limit-exceeded`, and of receiving.
   */
  receiveBlob(descriptor: OciDescriptor, options: ReceiveBlobOptions): Promise<Unverified<OciBlob>>
}

export interface ReceiveBlobsOptions extends Omit<ReceiveBlobOptions, 'onBytes'> {
  readonly onProgress?: OnProgress
  /** Called for each blob as soon as it is there, several at a time; the slot is free for the next one when it ends. */
  readonly onBlob?: (blob: Unverified<OciBlob>, descriptor: OciDescriptor) => Promise<void>
}
