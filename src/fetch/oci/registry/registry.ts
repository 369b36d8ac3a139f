import { quote, RktError } from '../../../base/index.ts'
import { formatDockerReference, identifierOf, parseACIdentifier, type DockerReference, type Label } from '../../../spec/index.ts'
import { resolveChain } from '../resolve.ts'
import type { OciSource, OciSourceOptions } from '../source.ts'
import { fetchSmallBlob, receiveRegistryBlob } from './blobs.ts'
import { fetchManifest } from './manifests.ts'
import { fetchExtensionSignatures, fetchReferrers } from './referrers.ts'
import { openSession } from './session.ts'

const defaultTag = 'latest'

/** One repository of a registry, for reading. */
export function openRegistry(reference: DockerReference, options: OciSourceOptions): OciSource {
  const session = openSession(reference, options)
  const { tag, digest } = reference
  const tagged = tag ?? (digest === undefined ? defaultTag : undefined)
  const whole = { ...reference, ...(tagged === undefined ? {} : { tag: tagged }) }
  const text = `docker://${formatDockerReference(whole)}`
  return {
    resolve: async (platform) => {
      options.log.debug('image', `asking registry ${reference.host} for ${formatDockerReference(whole)}`)
      // A digest says exactly what is meant; a tag beside it is only a name.
      const first = await fetchManifest(session, digest ?? tagged ?? defaultTag)
      if (first === undefined) throw new RktError('not-found', `cannot fetch ${quote(text)}: the registry does not have it`)
      const name = identifierOf(reference)
      return resolveChain(first, { text, name, labels: labelsOf(tagged), nameSource: 'requested', fullName: whole, platform, fetch: (child) => fetchManifest(session, child) })
    },
    receiveBlob: (descriptor, receiving) => receiveRegistryBlob(session, descriptor, receiving),
    manifest: (tagOrDigest) => fetchManifest(session, tagOrDigest),
    referrers: (subject, artifactType) => fetchReferrers(session, subject, artifactType),
    smallBlob: (descriptor) => fetchSmallBlob(session, descriptor),
    extensionSignatures: (subject) => fetchExtensionSignatures(session, subject),
    [Symbol.asyncDispose]: async () => session[Symbol.dispose](),
  }
}

function labelsOf(tag: string | undefined): readonly Label[] {
  return tag === undefined ? [] : [{ name: parseACIdentifier('version'), value: tag }]
}
