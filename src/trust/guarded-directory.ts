import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs'
import { errorText, isErrno, limits, mappedIdCount, quote, RktError, type ErrorCode } from '../base/index.ts'

/** A file of a guarded directory with its content; empty content masks. */
export interface GuardedFile {
  readonly name: string
  readonly path: string
  readonly content: Uint8Array
}

/** What a directory of keys holds: plain files and names of directories below. */
export interface GuardedDirectory {
  readonly files: readonly GuardedFile[]
  readonly directories: readonly string[]
}

/** What the directory is for: the code and words of refusals. */
export interface Guarding {
  readonly code: ErrorCode
  /** `trusted keys`. */
  readonly directory: string
  /** `key file`. */
  readonly file: string
}

const keys: Guarding = { code: 'key-invalid', directory: 'trusted keys', file: 'key file' }

const none: GuardedDirectory = { files: [], directories: [] }

/**
 * Opens a directory that decides about trust and checks its owner and mode; undefined when it is not there.
 *
 * Attack: whoever can write here can trust any key, so root takes nothing from a directory or file that another user owns or can
 * write. Symbolic links are refused, since what they point at would escape the check.
 *
 * @throws RktError `key-invalid` naming the path.
 */
export function checkGuardedDirectory(path: string, guarding: Guarding = keys): boolean {
  const fd = openDirectory(path, guarding)
  if (fd === undefined) return false
  closeSync(fd)
  return true
}

/**
 * Reads a directory of keys through its descriptor, sorted by name; names that start with a dot are not ours to read (an
 * interrupted write leaves one).
 *
 * @throws RktError `key-invalid` naming the path, `limit-exceeded` for a file past `limits.keyBytes`.
 */
export function readGuardedDirectory(path: string, guarding: Guarding = keys): GuardedDirectory {
  const fd = openDirectory(path, guarding)
  if (fd === undefined) return none
  try {
    const files: GuardedFile[] = []
    const directories: string[] = []
    const entries = readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory()) directories.push(entry.name)
      else files.push({ name: entry.name, path: `${path}/${entry.name}`, content: readFile(`/proc/self/fd/${fd}/${entry.name}`, { path: `${path}/${entry.name}`, guarding }) })
    }
    return { files, directories }
  } finally {
    closeSync(fd)
  }
}

function openDirectory(path: string, guarding: Guarding): number | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (cause) {
    // A component of an image name longer than a file name can be has no keys.
    if (isErrno(cause, 'ENOENT', 'ENAMETOOLONG')) return undefined
    if (isErrno(cause, 'ELOOP', 'ENOTDIR')) throw new RktError(guarding.code, `cannot use ${guarding.directory} in ${quote(path)}: not a plain directory`, { cause })
    throw new RktError('io', `cannot read ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  try {
    checkOwner(fstatSync(fd), { path, guarding })
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

interface Guarded {
  readonly path: string
  readonly guarding: Guarding
}

function readFile(at: string, { path, guarding }: Guarded): Uint8Array {
  let fd: number
  try {
    // O_NONBLOCK: a FIFO must not hold us up before it is refused.
    fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (isErrno(cause, 'ELOOP')) throw new RktError(guarding.code, `cannot use ${guarding.file} ${quote(path)}: symbolic link; expected a plain file`, { cause })
    throw new RktError('io', `cannot read ${guarding.file} ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new RktError(guarding.code, `cannot use ${guarding.file} ${quote(path)}: not a plain file`)
    checkOwner(stats, { path, guarding })
    if (stats.size > limits.keyBytes) {
      throw new RktError('limit-exceeded', `cannot read ${guarding.file} ${quote(path)}: ${stats.size} bytes; expected at most ${limits.keyBytes}`)
    }
    const content = Buffer.allocUnsafe(stats.size)
    let at = 0
    for (let got = -1; got !== 0 && at < content.byteLength; at += got) got = readSync(fd, content, at, content.byteLength - at, at)
    return content.subarray(0, at)
  } finally {
    closeSync(fd)
  }
}

/** Directories that only root of the host can make or give away. */
const hostDirectories = ['/etc/rkt/', '/usr/lib/rkt/']

/**
 * Whether a path is the host's own. The rkt of an ordinary user is root of a namespace in which the host's root is nobody, as is every other
 * user: what lies in the two places that root alone decides about is taken for root's, anything else must be the user's.
 */
function belongsToHost(uid: number, path: string): boolean {
  return mappedIdCount() !== undefined && uid === nobody && hostDirectories.some((directory) => path.startsWith(directory))
}

/** KERNEL: the default of kernel.overflowuid. */
const nobody = 65_534

function checkOwner(stats: Stats, { path, guarding }: Guarded): void {
  if (process.geteuid?.() !== 0) return
  if (stats.uid !== 0 && !belongsToHost(stats.uid, path)) {
    const rootless = mappedIdCount() !== undefined
    const state = rootless ? 'it belongs to another user; expected yourself' : `it belongs to user ${stats.uid}; expected root`
    throw new RktError(guarding.code, `cannot use ${guarding.directory} in ${quote(path)}: ${state}`, {
      hint: `check its content, then: ${rootless ? `copy it, or let root chown it to you: ${path}` : `chown root:root ${path}`}`,
    })
  }
  if ((stats.mode & 0o022) !== 0) {
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0')
    throw new RktError(guarding.code, `cannot use ${guarding.directory} in ${quote(path)}: others can write it (mode ${mode}); expected root alone`, { hint: `check its content, then: chmod go-w ${path}` })
  }
}
