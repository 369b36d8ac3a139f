import { isRktError, quote, RktError } from '../../base/index.ts'
import { formatDockerReference, identifierOf, parseDockerReference, type ACIdentifier, type DockerReference } from '../../spec/index.ts'
import { signCommand } from '../trust-hint.ts'

export interface IdentityOptions {
  /** As the signer wrote it. */
  readonly signed: string
  /** What a registry was asked for; undefined for files. */
  readonly requested: DockerReference | undefined
  readonly name: ACIdentifier
  /** How commands call the image where it comes from. */
  readonly image: string
}

/**
 * Checks that a container signature is for the image that was asked for, and gives the tag that it names.
 *
 * Asked for by tag, the signed tag must be the same, so that a signature of another tag does not count; a signature without a tag is
 * for the whole repository, as cosign makes them. Asked for by digest, the repository alone must be the same. Of a file only the name
 * is known, which must be that of the signed repository.
 *
 * @throws RktError `name-mismatch`.
 */
export function matchIdentity({ signed, requested, name, image }: IdentityOptions): string | undefined {
  const reference = parseSigned(signed)
  const mismatch = (wanted: string): RktError =>
    new RktError('name-mismatch', `cannot use the signature: it is for ${quote(signed)}; expected ${quote(wanted)}`, {
      hint: `ask for the image by the name that was signed, or have it signed for this name: ${signCommand({ image, name })}`,
    })
  if (requested === undefined) {
    if (identifierOf(reference) !== name) throw mismatch(name)
    return reference.tag
  }
  if (reference.host !== requested.host || reference.repository !== requested.repository) throw mismatch(formatDockerReference(requested))
  const tag = requested.tag ?? 'latest'
  if (requested.digest === undefined && reference.tag !== undefined && reference.tag !== tag) throw mismatch(formatDockerReference({ ...requested, tag }))
  if (requested.digest !== undefined && reference.digest !== undefined && reference.digest !== requested.digest) throw mismatch(formatDockerReference(requested))
  return reference.tag
}

function parseSigned(text: string): DockerReference {
  try {
    return parseDockerReference(text)
  } catch (cause) {
    throw isRktError(cause) ? new RktError('signature-invalid', `cannot use the signature: it is for ${quote(text)}, which names no image`, { cause }) : cause
  }
}
