import { isRktError, parseStrictJson, type ImageID } from '../../src/base/index.ts'
import { parseNetworkConf } from '../../src/network/configured-network.ts'
import { parseCniResult } from '../../src/network/cni-result.ts'
import { parseRecord } from '../../src/store/record.ts'
import { ociMediaTypes, readImageManifest, readOciConfig, readOciDocument, readPodManifest } from '../../src/spec/index.ts'
import { imageManifestToJson, podManifestToJson } from '../../src/spec/index.ts'
import { readMetaTags } from '../../src/fetch/meta-tags.ts'
import { readHeader } from '../../src/fetch/oci/local/tar-header.ts'
import { parseEvidence, readPublicKeys } from '../../src/trust/index.ts'
import { readDetachedSignatures } from '../../src/trust/detached-signature.ts'
import { payloadTypes, readSignaturePayload } from '../../src/trust/oci/signature-payload.ts'
import { readSignedMessage } from '../../src/trust/oci/signed-message.ts'
import { readPolicyFile } from '../../src/trust/policy/policy-file.ts'
import { readBundle } from '../../src/trust/sigstore/bundle.ts'
import { readIdentity } from '../../src/trust/sigstore/identity.ts'
import { readSigstoreKey } from '../../src/trust/sigstore/sigstore-key.ts'
import type { Reader } from './fuzz.ts'

// SAFETY: only compared with what the record says.
const recordID = `sha512-${'a'.repeat(64)}` as ImageID

/** What a manifest became can be written, and is read as the same again. */
function sameAgain<T>(value: T, { write, read }: { readonly write: (value: T) => unknown; readonly read: (bytes: Buffer) => T }): void {
  const first = JSON.stringify(write(value))
  const second = JSON.stringify(write(read(Buffer.from(first))))
  if (first !== second) throw new Error(`read as ${first}, then as ${second}`)
}

/** Whole files and messages of publishers, registries, plugins and disks. The corpus of each is `corpus/NAME/`. */
export const documents: readonly Reader[] = [
  { name: 'strict-json', read: (bytes) => JSON.stringify(parseStrictJson(bytes, { what: 'text' })) },
  { name: 'image-manifest', read: (bytes) => sameAgain(readImageManifest(bytes), { write: imageManifestToJson, read: readImageManifest }) },
  { name: 'pod-manifest', read: (bytes) => sameAgain(readPodManifest(bytes), { write: podManifestToJson, read: readPodManifest }) },
  { name: 'oci-manifest', read: (bytes) => readOciDocument(bytes, ociMediaTypes.manifest) },
  { name: 'oci-index', read: (bytes) => readOciDocument(bytes, ociMediaTypes.index) },
  { name: 'oci-config', read: readOciConfig },
  { name: 'openpgp-key', read: (bytes) => readPublicKeys(bytes, 'the key') },
  { name: 'openpgp-signature', read: readDetachedSignatures },
  { name: 'openpgp-message', read: readSignedMessage },
  { name: 'signature-payload', read: (bytes) => readSignaturePayload(bytes, payloadTypes.openpgp) },
  { name: 'sigstore-bundle', read: readBundle },
  { name: 'sigstore-identity', read: (bytes) => readIdentity(bytes, 'the identity') },
  { name: 'sigstore-key', read: (bytes) => readSigstoreKey(bytes, 'the key') },
  { name: 'policy', read: (content) => readPolicyFile({ name: 'x.json', path: '/x.json', content }) },
  { name: 'evidence', read: parseEvidence },
  { name: 'record', read: (bytes) => parseRecord(bytes, recordID), refuses: (error) => isRktError(error, 'corrupted') },
  { name: 'network', read: (bytes) => parseNetworkConf(bytes, '/x.conf') },
  { name: 'cni-result', read: (bytes) => parseCniResult(bytes, 'n') },
  { name: 'discovery-page', read: readMetaTags, refuses: () => false },
  { name: 'tar-header', read: readHeader, refuses: () => false },
]
