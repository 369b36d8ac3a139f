import { createHash } from 'node:crypto'
import { digestParts, RktError, type Brand, type Digest, type ImageID } from '../base/index.ts'

/**
 * Key of a tree, safe to use as a file name: `deps-sha512-` and 64 hexadecimal digits for what an image renders to, `layer1-` with
 * algorithm and digits of the diff ID for an OCI layer; the digit is the version of the rules by which it was unpacked.
 */
export type TreeID = Brand<string, 'TreeID'>

const pattern = /^(?:deps-sha512-[0-9a-f]{64}|layer[1-9][0-9]?-(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128}))$/

/** The tree that an ordered list renders to: an image and its dependencies, or the trees of the layers, topmost first. */
export function treeIDOf(parts: readonly ImageID[] | readonly TreeID[]): TreeID {
  const hex = createHash('sha512').update(parts.join(',')).digest('hex')
  return parseTreeID(`deps-sha512-${hex.slice(0, 64)}`)
}

/** The tree of an OCI layer, as this version unpacks it. */
export function layerTreeID(diffID: Digest): TreeID {
  const { algorithm, hex } = digestParts(diffID)
  return parseTreeID(`layer1-${algorithm}-${hex}`)
}

export function isTreeID(text: string): text is TreeID {
  return pattern.test(text)
}

/** Whether a path lies in the tree of a layer, and not in one that was put together. */
export function liesInLayer(path: string): boolean {
  return /\/layer[1-9][0-9]?-sha(?:256|512)-[0-9a-f]+\/rootfs(?:\/|$)/.test(path)
}

/** @throws RktError `corrupted` when `text` is not a whole tree ID. */
export function parseTreeID(text: string): TreeID {
  if (!isTreeID(text)) throw new RktError('corrupted', `cannot use tree ID ${JSON.stringify(text)}: expected deps-sha512-<64 hex> or layer1-sha256-<64 hex>`)
  return text
}
