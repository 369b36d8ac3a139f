import { binding } from '../../base/index.ts'

/** What the unpacker left at one path of a layer's tree. */
export interface Marks {
  /** The name is taken away from the layers below. */
  readonly whiteout: boolean
  /** A directory that shows nothing of the layers below. */
  readonly opaque: boolean
  /** A directory that no member of the layer named: its attributes are those of the layer below. */
  readonly unnamed: boolean
}

export function marksAt(path: Buffer): Marks {
  const bits = binding().layerMarks(path)
  return { whiteout: (bits & 1) !== 0, opaque: (bits & 2) !== 0, unnamed: (bits & 4) !== 0 }
}

/** Of roots that lie over each other, the one whose attributes the merged root has; the topmost first. */
export function namedRoot(roots: readonly string[]): string {
  const [only] = roots
  const found = roots.length === 1 ? only : (roots.find((root) => !marksAt(Buffer.from(root)).unnamed) ?? roots.at(-1))
  if (found === undefined) throw new Error('an image has at least one tree')
  return found
}
