import { isRktError, type Digest } from '../../../base/index.ts'
import type { DockerReference, OciArtifacts, RawSignature } from '../../../spec/index.ts'
import type { HttpOptions } from '../../http.ts'
import { findReferrers, findTagged } from './companions.ts'
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
 * At most `limits.imageSignatures`, the places of the configuration first: a list that never ends only hides what comes after. A place
 * that does not answer is told to the user, and hides nothing of another place.
 *
 * @throws RktError `cancelled`, `invalid-config`.
 */
export async function findSignatures(source: OciArtifacts, { digests, fullName: reference, lookaside, http }: FindSignaturesOptions): Promise<readonly RawSignature[]> {
  const found = startFinding(http.log)
  const base = reference === undefined ? undefined : lookaside?.find(reference)
  const look = async (find: () => Promise<void>): Promise<void> => {
    if (found.full) return
    try {
      await find()
    } catch (error) {
      http.signal.throwIfAborted()
      if (!isRktError(error) || error.code === 'cancelled' || error.code === 'invalid-config') throw error
      http.log.notice('image', `warning: cannot look for signatures: ${error.message}`)
    }
  }
  for (const digest of digests) {
    if (base !== undefined && reference !== undefined) await look(() => findLookaside(digest, { base, reference, found, http }))
  }
  for (const digest of digests) {
    await look(async () => {
      for (const { name, content } of await source.extensionSignatures(digest)) found.add({ form: 'simple-signing', place: name, bytes: content })
    })
    await look(() => findTagged(source, digest, { found, log: http.log }))
    await look(() => findReferrers(source, digest, { found, log: http.log }))
  }
  http.log.debug('image', `found ${found.list.length} signatures`)
  return found.list
}
