import { companionTag, ociMediaTypes, type DockerReference, type OciDescriptor, type OciTarget } from '../../../spec/index.ts'
import { addReferrer, referrerOf } from '../referrer-list.ts'
import type { OciSourceOptions } from '../source.ts'
import { fetchSmallBlob } from './blobs.ts'
import { fetchManifest } from './manifests.ts'
import { fetchExtensionSignatures, fetchReferrers } from './referrers.ts'
import { openSession, type RegistrySession } from './session.ts'
import { putBytes, putFile, putManifest } from './upload.ts'

/** One repository of a registry, for writing. */
export function openRegistryTarget(reference: DockerReference, options: OciSourceOptions): OciTarget & AsyncDisposable {
  const session = openSession(reference, options)
  return {
    manifest: (tagOrDigest) => fetchManifest(session, tagOrDigest),
    referrers: (subject, artifactType) => fetchReferrers(session, subject, artifactType),
    smallBlob: (descriptor) => fetchSmallBlob(session, descriptor),
    extensionSignatures: (subject) => fetchExtensionSignatures(session, subject),
    putBytes: (bytes, mediaType) => putBytes(session, bytes, mediaType),
    putFile: (descriptor, path, options) => putFile(session, descriptor, { ...options, path }),
    putManifest: async (bytes, manifest) => {
      const { descriptor, listed } = await putManifest(session, bytes, manifest)
      if (!listed) await listReferrer(session, { bytes, descriptor })
      return descriptor
    },
    [Symbol.asyncDispose]: async () => session[Symbol.dispose](),
  }
}

/** A registry without the referrers API has the list written by whoever adds to it. */
async function listReferrer(session: RegistrySession, { bytes, descriptor }: { readonly bytes: Uint8Array; readonly descriptor: OciDescriptor }): Promise<void> {
  const referrer = referrerOf(bytes, descriptor)
  if (referrer === undefined) return
  const tag = companionTag(referrer.subject)
  const list = addReferrer(await fetchManifest(session, tag), referrer)
  await putManifest(session, list, { mediaType: ociMediaTypes.index, tag })
}
