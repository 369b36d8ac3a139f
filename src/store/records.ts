import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { isErrno, isRktError, parseImageID, quote, unreachable, type ImageID, type Log, type RktError } from '../base/index.ts'
import { recordPath, type Layout } from './layout.ts'
import { parseRecord, type ImageRecord } from './record.ts'
import { faultOf } from './stamp.ts'

/** What the file of one record turned out to be. */
export type RecordReading =
  | { readonly kind: 'image'; readonly record: ImageRecord; readonly lastUsedMs: number; readonly ownerUid: number }
  | { readonly kind: 'corrupted'; readonly id: ImageID; readonly error: RktError }
  /** Root found a record that somebody else could have written. */
  | { readonly kind: 'foreign'; readonly id: ImageID; readonly fault: string }

/** Reads one record; undefined when there is none. */
export function readRecord(layout: Layout, id: ImageID): RecordReading | undefined {
  let fd: number
  try {
    fd = openSync(recordPath(layout, id), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    if (isErrno(error, 'ELOOP')) return { kind: 'foreign', id, fault: 'it is a symbolic link' }
    throw error
  }
  try {
    const stat = fstatSync(fd, { bigint: true })
    const fault = faultOf(stat)
    if (fault !== undefined) return { kind: 'foreign', id, fault }
    return { kind: 'image', record: parseRecord(readFileSync(fd), id), lastUsedMs: Number(stat.mtimeMs), ownerUid: Number(stat.uid) }
  } catch (error) {
    if (isRktError(error)) return { kind: 'corrupted', id, error }
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Every image ID that has a record, in the order of their digits. */
export function recordIDs(layout: Layout): ImageID[] {
  let names: string[]
  try {
    names = readdirSync(layout.images)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
  return names.filter((name) => /^sha512-[0-9a-f]{64}\.json$/.test(name)).sort().map((name) => parseImageID(name.slice(0, -'.json'.length)))
}

/** Every record; one bad file does not hide the others. */
export function readRecords(layout: Layout): RecordReading[] {
  return recordIDs(layout).map((id) => readRecord(layout, id)).filter((reading) => reading !== undefined)
}

/** The usable records; the log tells about the others. */
export function usableRecords(readings: readonly RecordReading[], log: Log): ImageRecord[] {
  const usable: ImageRecord[] = []
  for (const reading of readings) {
    switch (reading.kind) {
      case 'image':
        usable.push(reading.record)
        break
      case 'corrupted':
        log.warn(`warning: ${reading.error.message}`)
        break
      case 'foreign':
        log.warn(`warning: ignoring image ${quote(reading.id)}: its record cannot be trusted: ${reading.fault}`)
        break
      default:
        unreachable(reading)
    }
  }
  return usable
}

/** Marks an image as used now; only its owner can, and for others it is not worth an error. */
export function touchRecord(layout: Layout, id: ImageID, now: Date): void {
  try {
    utimesSync(recordPath(layout, id), now, now)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EPERM', 'EACCES', 'EROFS')) throw error
  }
}
