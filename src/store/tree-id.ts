import { createHash } from 'node:crypto'
import { RktError, type Brand, type ImageID } from '../base/index.ts'

/** Key of a rendered tree: `deps-sha512-` and 64 hexadecimal digits, safe to use as a file name. */
export type TreeID = Brand<string, 'TreeID'>

const pattern = /^deps-sha512-[0-9a-f]{64}$/

/** The tree that an ordered list of images renders to: the image itself, then its dependencies. */
export function treeIDOf(images: readonly ImageID[]): TreeID {
  const hex = createHash('sha512').update(images.join(',')).digest('hex')
  return parseTreeID(`deps-sha512-${hex.slice(0, 64)}`)
}

/** @throws RktError `corrupted` when `text` is not a whole tree ID. */
export function parseTreeID(text: string): TreeID {
  if (!pattern.test(text)) throw new RktError('corrupted', `cannot use tree ID ${JSON.stringify(text)}: expected deps-sha512-<64 hex>`)
  // SAFETY: the pattern above admits no separator and no other letter.
  return text as TreeID
}
