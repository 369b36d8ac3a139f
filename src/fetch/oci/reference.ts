import { resolve } from 'node:path'
import { quote, RktError } from '../../base/index.ts'
import { parseDockerReference, type DockerReference } from '../../spec/index.ts'

/** A file or directory that holds images, and which of them is meant: by tag, full name, or digest. */
export interface LocalOciReference {
  readonly transport: 'oci' | 'oci-archive' | 'docker-archive'
  /** Absolute. */
  readonly path: string
  readonly ref?: string
}

/** Where an OCI image is, as a user wrote it. */
export type OciReference = ({ readonly transport: 'docker' } & DockerReference) | LocalOciReference

const schemes = /^(docker|oci|oci-archive|docker-archive):/

/** Whether a text names an OCI image by its scheme. */
export function isOciReference(text: string): boolean {
  return schemes.test(text)
}

/**
 * Reads `docker://[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`, also without the slashes, `oci:DIR[:REF]`, `oci-archive:FILE[:REF]` or
 * `docker-archive:FILE[:REF]`. The path ends at the first colon, as with other container tools.
 *
 * @throws RktError `invalid-reference`.
 */
export function parseOciReference(text: string, options: { readonly cwd: string }): OciReference {
  const [head = '', transport] = schemes.exec(text) ?? []
  const rest = text.slice(head.length)
  if (transport === 'docker') return { transport, ...parseDockerReference(rest.replace(/^\/\//, '')) }
  if (transport !== 'oci' && transport !== 'oci-archive' && transport !== 'docker-archive') {
    throw new RktError('invalid-reference', `cannot use image reference ${quote(text)}: expected docker://, oci:, oci-archive: or docker-archive:`)
  }
  const colon = rest.indexOf(':')
  const [path, ref] = colon < 0 ? [rest, undefined] : [rest.slice(0, colon), rest.slice(colon + 1)]
  if (path === '' || ref === '' || text.includes('\0')) {
    throw new RktError('invalid-reference', `cannot use image reference ${quote(text)}: expected ${transport}:PATH[:REF]`)
  }
  return { transport, path: resolve(options.cwd, path), ...(ref === undefined ? {} : { ref }) }
}

/** The reference in its normal form, for messages and records. */
export function formatOciReference(reference: OciReference): string {
  if (reference.transport !== 'docker') return `${reference.transport}:${reference.path}${reference.ref === undefined ? '' : `:${reference.ref}`}`
  const { host, repository, tag, digest } = reference
  return `docker://${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}
