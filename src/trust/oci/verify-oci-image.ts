import { limits, quote, reveal, RktError, type Unverified } from '../../base/index.ts'
import { formatDockerReference, readOciDocument, type ACIdentifier, type DockerReference, type OciDocument, type OciImage, type RawSignature } from '../../spec/index.ts'
import { authorize } from '../authorize.ts'
import { signatureMissing } from '../judge-verdict.ts'
import type { Keystore } from '../keystore.ts'
import type { Signer } from '../signer.ts'
import { signCommand } from '../trust-hint.ts'
import type { NameSource } from '../verdict.ts'
import { signed, type Verified } from '../verified.ts'
import { checkOciSignature } from './check-signature.ts'
import { imageOfChain } from './evidence.ts'

export interface VerifyOciOptions {
  /** Everything that was found; whoever could write beside the image could add to it. */
  readonly signatures: readonly RawSignature[]
  /** The name for which signers must be trusted. */
  readonly name: ACIdentifier
  readonly nameSource: NameSource
  /** What a registry was asked for; undefined for files. */
  readonly reference: DockerReference | undefined
  /** How commands call the image where it comes from, such as `docker://…`. */
  readonly image: string
  readonly keystore: Keystore
  readonly now: Date
}

const versionAnnotation = 'org.opencontainers.image.version'

/**
 * Asks who signed an OCI image, whether they are trusted for its name, and whether they are those that the policy wants. Signatures that
 * do not count are passed over, since anybody may add some; index and manifest are read for their digests, and nothing else of the image.
 *
 * @throws RktError `signature-missing`, `signature-invalid`, `name-mismatch`, `key-untrusted`, `key-expired`, `key-revoked`,
 * `key-invalid`, `policy-refused`, `invalid-config`: why the signature that came nearest does not count.
 */
export async function verifyOciImage(image: Unverified<OciImage>, options: VerifyOciOptions): Promise<Verified<OciImage>> {
  const { signatures, name, nameSource, reference, image: place, keystore, now } = options
  // Read anew from the bytes: what is signed is what is used, whoever made the given value.
  const value = reveal(imageOfChain(reveal(image, 'check signature').chain), 'check signature')
  const object = reference === undefined ? name : formatDockerReference(reference)
  if (signatures.length === 0) throw signatureMissing(object, { state: 'it has no signature', name, image: place, keystore })
  const stored = keystore.allSigners()
  const isLocked = keystore.policies.policyFor(name).lockedBy !== undefined
  const signers: Signer[] = []
  const tags: string[] = []
  const faults: RktError[] = []
  for (const signature of signatures.slice(0, limits.imageSignatures)) {
    try {
      const checked = await checkOciSignature(signature, { chain: value.chain, stored, name, reference, image: place, isLocked, now })
      signers.push(...checked.signers)
      if (checked.tag !== undefined) tags.push(checked.tag)
    } catch (error) {
      if (!(error instanceof RktError)) throw error
      faults.push(error)
    }
  }
  if (signers.length === 0) throw refusal(faults, { object, ...options })
  return authorize(signed(value, signers), { name, nameSource, version: versionOf(value.chain) ?? tags[0], image: place, keystore, now })
}

/** The version that a document of the chain states. */
function versionOf(chain: readonly OciDocument[]): string | undefined {
  return [...chain]
    .reverse()
    .map(({ bytes, mediaType }) => readOciDocument(bytes, mediaType).annotations[versionAnnotation])
    .find((version) => version !== undefined)
}

/** The fault of the signature that came nearest: one by a stored key says more than one by a stranger. */
function refusal(faults: readonly RktError[], { object, name, image, keystore }: VerifyOciOptions & { readonly object: string }): RktError {
  const fault = faults.find(({ code }) => code !== 'key-untrusted' && code !== 'limit-exceeded' && code !== 'signature-invalid') ?? faults.find(({ code }) => code === 'key-untrusted') ?? faults[0]
  if (fault === undefined) return signatureMissing(object, { state: 'it has no signature', name, image, keystore })
  const state = fault.message.replace(/^cannot use the (?:signature|payload of the signature|Sigstore bundle|cosign signature): /, '')
  const others = faults.length === 1 ? '' : ` (and ${faults.length - 1} more that do not count)`
  return new RktError(fault.code, `cannot use image ${quote(object)}: ${state}${others}`, {
    cause: fault,
    hint: fault.hint ?? `have it signed again: ${signCommand({ image, name })}`,
  })
}
