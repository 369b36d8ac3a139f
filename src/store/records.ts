import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { isErrno, isRktError, parseImageID, quote, unreachable, type ImageID, type Log, type RktError } from '../base/index.ts'
import { recordPath, type Layout } from './layout.ts'
import { parseRecord, type AciRecord, type ImageRecord } from './record.ts'
import { faultOf } from './stamp.ts'

/** What the file of one record turned out to be. */
export type RecordReading =
  | { readonly kind: 'image'; readonly record: ImageRecord; readonly lastUsedMs: number; readonly ownerUid: number }
  | { readonly kind: 'corrupted'; readonly id: ImageID; readonly error: RktError }
  /** Root found a record that somebody else could have written. */
  | { readonly kind: 'foreign'; readonly id: ImageID; readonly fault: string }

/** The file of a record, read but not parsed. */
interface RecordFile {
  readonly id: ImageID
  readonly bytes: Buffer
  readonly lastUsedMs: number
  readonly ownerUid: number
  /** Why root must not believe it. */
  readonly fault: string | undefined
}

/** Reads one record; undefined when there is none. */
export function readRecord(layout: Layout, id: ImageID): RecordReading | undefined {
  const file = readFile(layout, id)
  return file === undefined ? undefined : parseFile(file)
}

/** A usable record of an ACI; undefined when there is none. */
export function readAci(layout: Layout, id: ImageID): { readonly record: AciRecord; readonly ownerUid: number } | undefined {
  const reading = readRecord(layout, id)
  return reading?.kind === 'image' && reading.record.kind === 'aci' ? { record: reading.record, ownerUid: reading.ownerUid } : undefined
}

function readFile(layout: Layout, id: ImageID): RecordFile | undefined {
  let fd: number
  try {
    fd = openSync(recordPath(layout, id), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    if (isErrno(error, 'ELOOP')) return { id, bytes: Buffer.alloc(0), lastUsedMs: 0, ownerUid: 0, fault: 'it is a symbolic link' }
    throw error
  }
  try {
    const stat = fstatSync(fd, { bigint: true })
    const bytes = stat.isFile() ? readFileSync(fd) : Buffer.alloc(0)
    return { id, bytes, lastUsedMs: Number(stat.mtimeMs), ownerUid: Number(stat.uid), fault: faultOf(stat) }
  } finally {
    closeSync(fd)
  }
}

function parseFile({ id, bytes, lastUsedMs, ownerUid, fault }: RecordFile): RecordReading {
  if (fault !== undefined) return { kind: 'foreign', id, fault }
  try {
    return { kind: 'image', record: parseRecord(bytes, id), lastUsedMs, ownerUid }
  } catch (error) {
    if (isRktError(error)) return { kind: 'corrupted', id, error }
    throw error
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

/** The records in whose bytes `words` occur: a search parses only what it may find. */
export function readRecordsWith(layout: Layout, words: string): RecordReading[] {
  return recordIDs(layout)
    .map((id) => readFile(layout, id))
    .filter((file) => file !== undefined)
    .filter((file) => file.bytes.includes(words))
    .map(parseFile)
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
