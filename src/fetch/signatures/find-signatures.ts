import { isRktError, limits, type Digest, type RktError } from '../../base/index.ts'
import type { DockerReference, OciArtifacts, RawSignature } from '../../spec/index.ts'
import type { HttpOptions } from '../http.ts'
import { readReferrers, readSignatureTag } from './cosign-artifacts.ts'
import { lookasideURL, readLookaside } from './lookaside-files.ts'
import type { LookasideConfig } from './lookaside.ts'

export interface FindSignaturesOptions extends HttpOptions {
  /** Digests of everything that a signature may be over. */
  readonly digests: readonly Digest[]
  /** What a registry was asked for; undefined for files. */
  readonly reference: DockerReference | undefined
  readonly lookaside: LookasideConfig
}

/** What was found, and where nothing could be learned. */
export interface FoundSignatures {
  readonly signatures: readonly RawSignature[]
  /** A place that does not answer hides no signature of another place. */
  readonly faults: readonly RktError[]
}

/**
 * Collects the signatures of an image from everywhere: lookaside, the registry's own extension, the tag of cosign, and referrers. At most
 * `limits.imageSignatures` in at most half of `limits.evidenceBytes`; what is found later is left out.
 *
 * @throws RktError `cancelled`, `invalid-config`.
 */
export async function findImageSignatures(artifacts: OciArtifacts, options: FindSignaturesOptions): Promise<FoundSignatures> {
  const { digests, reference, lookaside, log } = options
  const place = reference === undefined ? undefined : lookaside.find(reference)
  const faults: RktError[] = []
  const found: RawSignature[] = []
  let left = limits.evidenceBytes / 2
  const collect = async (read: () => Promise<readonly RawSignature[]>): Promise<void> => {
    for (const signature of await attempt(read, { options, faults })) {
      const size = sizeOf(signature)
      if (found.length >= limits.imageSignatures || size > left) {
        log.debug('image', `more signatures than are looked at: leaving out ${signature.place}`)
        continue
      }
      left -= size
      found.push(signature)
    }
  }
  for (const digest of digests) {
    if (place !== undefined && reference !== undefined) await collect(() => readLookaside(lookasideURL(place.read, { repository: reference.repository, digest }), options))
    await collect(async () => (await artifacts.extensionSignatures(digest)).map(({ name, content }) => ({ form: 'simple-signing', place: name, bytes: content })))
    await collect(() => readSignatureTag(artifacts, digest))
    await collect(() => readReferrers(artifacts, digest))
  }
  return { signatures: found, faults }
}

interface Attempt {
  readonly options: FindSignaturesOptions
  readonly faults: RktError[]
}

async function attempt(read: () => Promise<readonly RawSignature[]>, { options, faults }: Attempt): Promise<readonly RawSignature[]> {
  try {
    return await read()
  } catch (error) {
    options.signal.throwIfAborted()
    if (!isRktError(error) || error.code === 'cancelled' || error.code === 'invalid-config') throw error
    faults.push(error)
    options.log.notice('image', `warning: cannot look for signatures: ${error.message}`)
    return []
  }
}

function sizeOf(signature: RawSignature): number {
  if (signature.form !== 'cosign') return signature.bytes.byteLength
  return signature.payload.byteLength + Object.values(signature.annotations).join('').length
}
