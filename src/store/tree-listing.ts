import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { RktError } from '../base/index.ts'

/** A path whose entry is not what the stored listing says. */
export interface TreeDifference {
  /** Escaped as in the listing: printable ASCII. */
  readonly path: string
  readonly state: 'changed' | 'missing' | 'added'
}

export interface ListingComparison {
  /** The first differences, at most 100. */
  readonly differences: readonly TreeDifference[]
  readonly differenceCount: number
}

const differencesKept = 100

/** Compares two listings line by line, in their common order; recorded devices, which no tree holds, are left out. */
export async function compareListing(storedFd: number, fresh: NodeJS.ReadableStream): Promise<ListingComparison> {
  const differences: TreeDifference[] = []
  let differenceCount = 0
  const note = (path: string, state: TreeDifference['state']): void => {
    differenceCount++
    if (differences.length < differencesKept) differences.push({ path, state })
  }
  const left = linesOf(createReadStream('', { fd: storedFd, autoClose: false, start: 0 }))
  const right = linesOf(fresh)
  let stored = await next(left)
  let found = await next(right)
  while (stored !== undefined || found !== undefined) {
    const order = stored === undefined ? 1 : found === undefined ? -1 : comparePaths(stored.key, found.key)
    if (order < 0 && stored !== undefined) {
      note(stored.path, 'missing')
      stored = await next(left)
    } else if (order > 0 && found !== undefined) {
      note(found.path, 'added')
      found = await next(right)
    } else if (stored !== undefined && found !== undefined) {
      if (stored.line !== found.line) note(found.path, 'changed')
      stored = await next(left)
      found = await next(right)
    }
  }
  return { differences, differenceCount }
}

interface Line {
  readonly line: string
  readonly path: string
  /** The components of the path as bytes, one character each: listings are ordered by these. */
  readonly key: readonly string[]
}

type Lines = AsyncIterator<string, unknown, undefined>

function linesOf(stream: NodeJS.ReadableStream): Lines {
  return createInterface({ input: stream, crlfDelay: Infinity })[Symbol.asyncIterator]()
}

async function next(lines: Lines): Promise<Line | undefined> {
  for (;;) {
    const step = await lines.next()
    if (step.done === true) return undefined
    const line = step.value
    const path = line.split(' ', 7)[6]
    if (path === undefined) throw new RktError('corrupted', 'cannot read the listing of a tree: a line is damaged')
    if (line.startsWith('c ') || line.startsWith('b ')) continue
    const bytes = path.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    return { line, path, key: bytes.split('/') }
  }
}

function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; ; i++) {
    const left = a[i]
    const right = b[i]
    if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1
    if (left !== right) return left < right ? -1 : 1
  }
}
