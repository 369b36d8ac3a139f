import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, lockFile, mappedIdCount, RktError } from '../base/index.ts'
import { dataPaths, podFile, stages } from './layout.ts'
import type { Pod } from './pod.ts'

/** Host ids `shift … shift + count - 1`, which are the pod's ids `0 … count - 1`. */
export interface IdRange {
  readonly shift: number
  readonly count: number
}

/** Ids of one pod: all that 16 bits can name. */
const rangeCount = 65_536

/** Ranges start at a multiple of their size, below the ids that a signed 32-bit number cannot hold. */
const highestIndex = 0x7fff

export interface ChooseRangeOptions {
  /** Ranges that the host has promised to others, such as those of `/etc/subuid`. */
  readonly reserved: readonly IdRange[]
}

/**
 * Gives the pod a range of host ids that no other pod has, and records it in the pod directory before another process can choose. A pod of
 * an ordinary user has all ids of that user.
 *
 * @throws RktError `limit-exceeded` when every range is taken.
 */
export function chooseIdRange(pod: Pod, options: ChooseRangeOptions): IdRange {
  const mapped = mappedIdCount()
  // Nobody else can name these ids; pods of one user are kept apart by their namespaces, as everything else of that user's.
  if (mapped !== undefined) return recordRange(pod, { shift: 0, count: mapped })
  using _lock = lockFile(dataPaths(pod.dataDir).rangesLock, { mode: 'exclusive', wait: 'block' })
  const taken = [...options.reserved, ...recordedRanges(pod.dataDir)]
  const first = randomInt(highestIndex)
  for (let step = 0; step < highestIndex; step += 1) {
    const range = { shift: (((first + step) % highestIndex) + 1) * rangeCount, count: rangeCount }
    if (taken.some((other) => overlaps(range, other))) continue
    return recordRange(pod, range)
  }
  throw new RktError('limit-exceeded', `cannot choose user ids for pod "${pod.uuid}": all ${highestIndex} ranges are in use`, { hint: 'rkt gc' })
}

function recordRange(pod: Pod, range: IdRange): IdRange {
  writeFileSync(pod.inside(podFile.idRange), `${range.shift}:${range.count}`, { mode: 0o640 })
  return range
}

/** The range recorded in a pod directory; undefined when the pod has no user namespace. */
export function readIdRange(podDir: string): IdRange | undefined {
  const path = join(podDir, podFile.idRange)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
  const [, shift = '', count = ''] = /^(\d{1,10}):(\d{1,10})$/.exec(text.trim()) ?? []
  // On the host, id 0 is its root.
  if (shift === '' || (Number(shift) === 0 && mappedIdCount() === undefined) || Number(shift) + Number(count) > 2 ** 32 - 1) {
    throw new RktError('corrupted', `cannot read ${JSON.stringify(path)}: not a range of ids; expected SHIFT:COUNT`)
  }
  return { shift: Number(shift), count: Number(count) }
}

/** Entries of a file in the form of `/etc/subuid`; lines that are not entries are skipped, as shadow-utils does. */
export function parseSubordinateIds(text: string): IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [, shift, count] = /^[^:]+:(\d{1,10}):(\d{1,10})$/.exec(line.trim()) ?? []
    return shift === undefined || count === undefined ? [] : [{ shift: Number(shift), count: Number(count) }]
  })
}

function recordedRanges(dataDir: string): IdRange[] {
  return stages.flatMap((stage) => {
    const directory = dataPaths(dataDir).stage(stage)
    return namesIn(directory).flatMap((name) => {
      try {
        return readIdRange(join(directory, name)) ?? []
      } catch {
        // A damaged record hides which ids the pod has; that pod cannot start with it either, so there is nothing to keep apart.
        return []
      }
    })
  })
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

function overlaps(a: IdRange, b: IdRange): boolean {
  return a.shift < b.shift + b.count && b.shift < a.shift + a.count
}
