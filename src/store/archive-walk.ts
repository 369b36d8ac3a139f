import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { binding, errorText, limits, quote, RktError } from '../base/index.ts'
import type { ArchiveEntry, Xattr } from './archive-entry.ts'

/** A member, and for a file with content, where that content is. */
export interface FoundEntry {
  readonly entry: ArchiveEntry
  /** When the content was last changed, in whole seconds since 1970. */
  readonly mtimeSeconds: number
  readonly file?: string
}

/** The last time that a ustar header can say. */
const latestSeconds = 0o77777777777

/** The extended attributes that an image may carry; SPEC: the original drops all others. */
const keptXattr = /^(?:security\.capability|user\..+)$/

/**
 * Every file of a tree in one fixed order (directories before their contents, names by their bytes). Of several names of one file,
 * the first has the content and the others are hard links to it.
 *
 * @throws RktError `invalid-archive` for what an image cannot hold: a socket, or a name that is not UTF-8; `io` when reading fails.
 */
export function* walkTree(directory: string, { archivePath, sockets }: WalkOptions): Generator<FoundEntry> {
  yield* walk({ directory, archivePath, sockets, depth: 0, firstNames: new Map() })
}

/** What becomes of a socket, which no archive can hold. */
export type SocketRule = { readonly kind: 'refuse' } | { readonly kind: 'skip'; readonly tell: (archivePath: string) => void }

export interface WalkOptions {
  /** Path of the directory in the archive. */
  readonly archivePath: string
  readonly sockets: SocketRule
}

interface Place {
  readonly directory: string
  readonly archivePath: string
  readonly sockets: SocketRule
  readonly depth: number
  /** Where each file with several names was met first, by device and inode. */
  readonly firstNames: Map<string, string>
}

function* walk(place: Place): Generator<FoundEntry> {
  if (place.depth > limits.pathDepth) throw new RktError('limit-exceeded', `cannot add ${quote(place.directory)}: more than ${limits.pathDepth} directories deep`)
  yield describe(place.directory, place)
  for (const name of namesIn(place.directory)) {
    const path = `${place.directory}/${name}`
    const inside = { ...place, directory: path, archivePath: `${place.archivePath}/${name}`, depth: place.depth + 1 }
    const stat = reading(path, () => lstatSync(path))
    if (stat.isDirectory()) yield* walk(inside)
    else if (stat.isSocket() && place.sockets.kind === 'skip') place.sockets.tell(inside.archivePath)
    else yield describe(path, inside)
  }
}

function namesIn(directory: string): readonly string[] {
  const names = reading(directory, () => readdirSync(directory, { encoding: 'buffer' }))
  return names.toSorted((a, b) => Buffer.compare(a, b)).map((bytes) => {
    const name = bytes.toString('utf8')
    if (Buffer.from(name).equals(bytes)) return name
    throw new RktError('invalid-archive', `cannot add ${quote(`${directory}/${bytes.toString('latin1')}`)}: its name is not UTF-8`)
  })
}

function describe(path: string, place: Place): FoundEntry {
  const stat = reading(path, () => lstatSync(path))
  const times = { mtimeSeconds: Math.min(Math.max(Math.floor(stat.mtimeMs / 1000), 0), latestSeconds) }
  const xattrs = reading(path, () => xattrsOf(path))
  const entry = { path: place.archivePath, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, sizeBytes: 0, xattrs }
  if (stat.isDirectory()) return { ...times, entry: { ...entry, type: 'Directory' } }
  const first = firstName(stat, place)
  if (first !== undefined) return { ...times, entry: { ...entry, xattrs: [], type: 'Link', target: first } }
  if (stat.isFile()) return { ...times, entry: { ...entry, type: 'File', sizeBytes: stat.size }, file: path }
  if (stat.isSymbolicLink()) return { ...times, entry: { ...entry, type: 'SymbolicLink', target: reading(path, () => readlinkSync(path)) } }
  if (stat.isFIFO()) return { ...times, entry: { ...entry, type: 'FIFO' } }
  if (stat.isCharacterDevice()) return { ...times, entry: { ...entry, type: 'CharacterDevice', device: deviceNumbers(stat.rdev) } }
  if (stat.isBlockDevice()) return { ...times, entry: { ...entry, type: 'BlockDevice', device: deviceNumbers(stat.rdev) } }
  throw new RktError('invalid-archive', `cannot add ${quote(path)}: it is a socket; expected a file, directory, link, FIFO or device`, {
    hint: 'remove it: a socket means nothing without the process that made it',
  })
}

function firstName(stat: Stats, place: Place): string | undefined {
  if (stat.nlink < 2) return undefined
  const key = `${stat.dev}:${stat.ino}`
  const first = place.firstNames.get(key)
  if (first === undefined) place.firstNames.set(key, place.archivePath)
  return first
}

function xattrsOf(path: string): readonly Xattr[] {
  const names = binding().xattrNames(path).filter((name) => keptXattr.test(name))
  return names.toSorted().map((name) => ({ name, value: binding().xattrValue(path, name) }))
}

/** KERNEL: the layout of `dev_t` as user space sees it; see makedev(3). */
function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const wide = BigInt(rdev)
  return {
    major: Number(((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n)),
    minor: Number((wide & 0xffn) | ((wide >> 12n) & 0xffffff00n)),
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new RktError('io', `cannot read ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}
