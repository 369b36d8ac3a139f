import { Header } from 'tar'

/** One member of an archive that is being written. */
export interface ArchiveEntry {
  /** Path in the archive, without a slash at the end. */
  readonly path: string
  readonly type: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'BlockDevice' | 'FIFO'
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content that follow the header. */
  readonly sizeBytes: number
  /** Target of a symbolic link; path in the archive of a hard link's first name. */
  readonly target?: string
  readonly device?: { readonly major: number; readonly minor: number }
  readonly xattrs: readonly Xattr[]
}

/** An extended attribute. */
export interface Xattr {
  readonly name: string
  readonly value: Uint8Array
}

/** Size of a tar block; SPEC: POSIX.1-2008 pax, ustar interchange format. */
export const blockBytes = 512

/** What a ustar header holds in octal; above it, a PAX record says the number. */
const largest = { id: 0o7777777, size: 0o77777777777 } as const

/**
 * Header blocks of a member: the ustar header, and before it a PAX one with what does not fit. No user names, no access times, no
 * inode numbers: the same file gives the same bytes on every machine.
 */
export function encodeEntry(entry: ArchiveEntry, mtimeSeconds: number): Uint8Array {
  const path = entry.type === 'Directory' ? `${entry.path}/` : entry.path
  const header = new Header({
    path,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.sizeBytes,
    mtime: new Date(mtimeSeconds * 1000),
    linkpath: entry.target ?? '',
    uname: '',
    gname: '',
    devmaj: entry.device?.major ?? 0,
    devmin: entry.device?.minor ?? 0,
  })
  const block = Buffer.alloc(blockBytes)
  header.encode(block)
  const records = paxRecords(entry, path)
  return records.byteLength === 0 ? block : Buffer.concat([paxBlocks(records, mtimeSeconds), block])
}

/** The zeros that fill the last block of a content. */
export function padding(sizeBytes: number): Uint8Array {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes)
}

function paxRecords(entry: ArchiveEntry, path: string): Buffer {
  const records: Buffer[] = []
  const add = (key: string, value: string | Uint8Array): void => void records.push(paxRecord(key, value))
  if (!fits(path)) add('path', path)
  if (entry.target !== undefined && !fits(entry.target)) add('linkpath', entry.target)
  if (entry.uid > largest.id) add('uid', String(entry.uid))
  if (entry.gid > largest.id) add('gid', String(entry.gid))
  if (entry.sizeBytes > largest.size) add('size', String(entry.sizeBytes))
  for (const { name, value } of entry.xattrs) add(`SCHILY.xattr.${name}`, value)
  return Buffer.concat(records)
}

/** Whether a ustar header holds the whole text in its first field. */
function fits(text: string): boolean {
  return text.length < 100 && /^[\x20-\x7e]*$/.test(text)
}

/** SPEC: POSIX.1-2008 pax: `LENGTH KEY=VALUE` and a line feed, where LENGTH counts its own digits. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let length = rest.byteLength + 1
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function paxBlocks(records: Buffer, mtimeSeconds: number): Buffer {
  const header = new Header({
    path: 'PaxHeader',
    type: 'ExtendedHeader',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.byteLength,
    mtime: new Date(mtimeSeconds * 1000),
    uname: '',
    gname: '',
  })
  const block = Buffer.alloc(blockBytes)
  header.encode(block)
  return Buffer.concat([block, records, padding(records.byteLength)])
}
