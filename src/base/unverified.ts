import type { Hash } from 'node:crypto'

/**
 * Digests of the whole content. SHA-512 is always there; another one is undefined when the signature was known before the content
 * and does not use that algorithm.
 */
export interface Digests {
  readonly sha256: Uint8Array | undefined
  readonly sha384: Uint8Array | undefined
  readonly sha512: Uint8Array
}

/**
 * Hash states fed with the whole content and not finalised: a signature check copies one and appends its trailer, so that the
 * content is read once. Defined exactly where `Digests` is.
 */
export interface Hashes {
  readonly sha256: Hash | undefined
  readonly sha384: Hash | undefined
  readonly sha512: Hash
}

/** A blob as it arrived: a file in the store's scratch directory, hashed while it was written. */
export interface ReceivedBlob {
  /** Absolute path; the file belongs to the receiver until the store takes it over. */
  readonly path: string
  readonly sizeBytes: number
  readonly digests: Digests
  /** The states behind `digests`. */
  readonly hashes: Hashes
}

/** What may be done with a value that nothing vouches for. */
export type RevealReason = 'check signature' | 'waive' | 'discard' | 'compare digest'

let read: <T>(unverified: Unverified<T>) => T

/** A value from outside that no rule has accepted: it can be passed on, but not looked at. */
export class Unverified<T> {
  readonly #value: T

  static {
    read = (unverified) => unverified.#value
  }

  private constructor(value: T) {
    this.#value = value
  }

  /** @internal Use `unverified()`. */
  static of<T>(value: T): Unverified<T> {
    return new Unverified(value)
  }
}

/** Marks a value as coming from outside. */
export function unverified<T>(value: T): Unverified<T> {
  return Unverified.of(value)
}

/** Opens the box; the reason is written at each call so that the few places are found by searching for it. */
export function reveal<T>(box: Unverified<T>, _reason: RevealReason): T {
  return read(box)
}
