import type { Brand } from './brand.ts'
import { RktError } from './errors.ts'

/** A whole lower-case version 4 UUID: the name of a pod and of its directory. */
export type PodUUID = Brand<string, 'PodUUID'>

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The UUID in `text`, or undefined when it is not a whole one. */
export function asPodUUID(text: string): PodUUID | undefined {
  // SAFETY: the pattern above admits no separator and no dot.
  return pattern.test(text) ? (text as PodUUID) : undefined
}

/** @throws RktError `invalid-reference` when `text` is not a whole UUID. */
export function parsePodUUID(text: string): PodUUID {
  const uuid = asPodUUID(text)
  if (uuid === undefined) throw new RktError('invalid-reference', `cannot use pod UUID ${JSON.stringify(text)}: expected 8-4-4-4-12 hexadecimal digits`)
  return uuid
}
