import { fileURLToPath } from 'node:url'
import { digestParts, isRktError, limits, quote, RktError, type Digest } from '../../base/index.ts'
import type { DockerReference, RawSignature } from '../../spec/index.ts'
import { get, type HttpOptions } from '../http.ts'
import { readBounded } from '../oci/read-bounded.ts'
import { readSignatureFile } from '../signature.ts'

/** Where the signatures of a manifest lie below a lookaside; SPEC: containers/image docs/signature-protocols.md. */
export function lookasideURL(base: string, { repository, digest }: Pick<DockerReference, 'repository'> & { readonly digest: Digest }): string {
  const { algorithm, hex } = digestParts(digest)
  return `${base}/${repository}@${algorithm}=${hex}`
}

/**
 * Every signature of a manifest, `signature-1` and on up to the first that is missing.
 *
 * @throws RktError `io`, `limit-exceeded`, and as `get`.
 */
export async function readLookaside(url: string, options: HttpOptions): Promise<readonly RawSignature[]> {
  const found: RawSignature[] = []
  for (let number = 1; number <= limits.imageSignatures; number += 1) {
    const place = `${url}/signature-${number}`
    const bytes = place.startsWith('file:') ? await readFile(place) : await download(place, options)
    if (bytes === undefined) break
    found.push({ form: 'simple-signing', place, bytes })
  }
  return found
}

async function readFile(url: string): Promise<Uint8Array | undefined> {
  try {
    return await readSignatureFile(fileURLToPath(url))
  } catch (error) {
    if (isRktError(error, 'signature-missing')) return undefined
    throw error
  }
}

async function download(url: string, options: HttpOptions): Promise<Uint8Array | undefined> {
  using response = await get(url, options)
  if (response.status === 404 || response.status === 403) return undefined
  if (response.status !== 200) throw new RktError('http-status', `cannot fetch signature ${quote(url)}: bad HTTP status code: ${response.status}`)
  return await readBounded(response, { maxBytes: limits.signatureBytes })
}
