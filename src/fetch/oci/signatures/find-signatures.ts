import type { Digest } from '../../../base/index.ts'
import type { DockerReference, OciArtifacts, RawSignature } from '../../../spec/index.ts'
import type { HttpOptions } from '../../http.ts'
import { findCompanions } from './companions.ts'
import { startFinding } from './found.ts'
import { findLookaside, type LookasideMap } from './lookaside.ts'

export interface FindSignaturesOptions {
  /** Of the documents of the image's chain: a signature may be over any of them. */
  readonly digests: readonly Digest[]
  /** What the image is called, for the map of lookaside places. */
  readonly fullName: DockerReference | undefined
  readonly lookaside?: LookasideMap
  readonly http: HttpOptions
}

/**
 * Everything that may be a signature of an image: in lookaside places, by the registry's extension, as cosign's tag, and as referrers.
 * At most `limits.imageSignatures`, the places of the configuration first: a list that never ends only hides what comes after.
 *
 * @throws RktError of receiving: a place that does not answer may hold the very signature that counts.
 */
export async function findSignatures(source: OciArtifacts, { digests, fullName: reference, lookaside, http }: FindSignaturesOptions): Promise<readonly RawSignature[]> {
  const found = startFinding(http.log)
  const base = reference === undefined ? undefined : lookaside?.find(reference)
  for (const digest of digests) {
    if (base !== undefined && reference !== undefined) await findLookaside(digest, { base, reference, found, http })
  }
  for (const digest of digests) {
    const signatures = found.full ? [] : await source.extensionSignatures(digest)
    for (const { name, content } of signatures) found.add({ form: 'simple-signing', place: name, bytes: content })
    if (!found.full) await findCompanions(source, digest, { found, log: http.log })
  }
  http.log.debug('image', `found ${found.list.length} signatures`)
  return found.list
}
