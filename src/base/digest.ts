import type { Brand } from './brand.ts'
import { RktError } from './errors.ts'

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case: safe to use in a file name. */
export type Digest = Brand<string, 'Digest'>

/** Image key: `sha512-` and the first 64 hexadecimal digits, safe to use as a file name. */
export type ImageID = Brand<string, 'ImageID'>

const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/
const imageIDPattern = /^sha512-[0-9a-f]{64,128}$/

/**
 * Checks the text of a digest.
 *
 * @throws RktError `invalid-reference` for any other algorithm, length or letter.
 */
export function parseDigest(text: string): Digest {
  if (!digestPattern.test(text)) {
    throw new RktError('invalid-reference', `cannot use digest ${JSON.stringify(text)}: expected sha256:<64 hex> or sha512:<128 hex>`)
  }
  // SAFETY: the pattern above admits no separator and no other letter.
  return text as Digest
}

/**
 * Checks the text of a whole image ID; digits after the 64th are cut, as in the original.
 *
 * @throws RktError `invalid-reference` for anything else, also for a prefix of an ID.
 */
export function parseImageID(text: string): ImageID {
  if (!imageIDPattern.test(text)) {
    throw new RktError('invalid-reference', `cannot use image ID ${JSON.stringify(text)}: expected sha512-<64 hex>`)
  }
  // SAFETY: the pattern above admits no separator and no other letter.
  return text.slice(0, 'sha512-'.length + 64) as ImageID
}

/** Algorithm and digits of a digest, for the path `blobs/<algorithm>/<hex>`. */
export function digestParts(digest: Digest): { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string } {
  const [algorithm, hex] = digest.split(':')
  if ((algorithm !== 'sha256' && algorithm !== 'sha512') || hex === undefined) throw new Error('a digest was made without its maker')
  return { algorithm, hex }
}
