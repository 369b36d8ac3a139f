import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs'
import { errorText, isErrno, limits, quote, RktError } from '../base/index.ts'

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

const none: GuardedDirectory = { files: [], directories: [] }

/**
 * Opens a directory that decides about trust and checks its owner and mode; undefined when it is not there.
 *
 * Attack: whoever can write here can trust any key, so root takes nothing from a directory or file that another user owns or can
 * write. Symbolic links are refused, since what they point at would escape the check.
 *
 * @throws RktError `key-invalid` naming the path.
 */
export function checkGuardedDirectory(path: string): boolean {
  const fd = openDirectory(path)
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
export function readGuardedDirectory(path: string): GuardedDirectory {
  const fd = openDirectory(path)
  if (fd === undefined) return none
  try {
    const files: GuardedFile[] = []
    const directories: string[] = []
    const entries = readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory()) directories.push(entry.name)
      else files.push({ name: entry.name, path: `${path}/${entry.name}`, content: readFile(`/proc/self/fd/${fd}/${entry.name}`, `${path}/${entry.name}`) })
    }
    return { files, directories }
  } finally {
    closeSync(fd)
  }
}

function openDirectory(path: string): number | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (cause) {
    // A component of an image name longer than a file name can be has no keys.
    if (isErrno(cause, 'ENOENT', 'ENAMETOOLONG')) return undefined
    if (isErrno(cause, 'ELOOP', 'ENOTDIR')) throw new RktError('key-invalid', `cannot use trusted keys in ${quote(path)}: not a plain directory`, { cause })
    throw new RktError('io', `cannot read ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  try {
    checkOwner(fstatSync(fd), path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function readFile(at: string, path: string): Uint8Array {
  let fd: number
  try {
    // O_NONBLOCK: a FIFO must not hold us up before it is refused.
    fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (isErrno(cause, 'ELOOP')) throw new RktError('key-invalid', `cannot use key file ${quote(path)}: symbolic link; expected a plain file`, { cause })
    throw new RktError('io', `cannot read key file ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new RktError('key-invalid', `cannot use key file ${quote(path)}: not a plain file`)
    checkOwner(stats, path)
    if (stats.size > limits.keyBytes) {
      throw new RktError('limit-exceeded', `cannot read key file ${quote(path)}: ${stats.size} bytes; expected at most ${limits.keyBytes}`)
    }
    const content = Buffer.alloc(stats.size)
    let at = 0
    for (let got = -1; got !== 0 && at < content.byteLength; at += got) got = readSync(fd, content, at, content.byteLength - at, at)
    return content.subarray(0, at)
  } finally {
    closeSync(fd)
  }
}

function checkOwner(stats: Stats, path: string): void {
  if (process.geteuid?.() !== 0) return
  if (stats.uid !== 0) {
    throw new RktError('key-invalid', `cannot use trusted keys in ${quote(path)}: it belongs to user ${stats.uid}; expected root`, { hint: `check its content, then: chown root:root ${path}` })
  }
  if ((stats.mode & 0o022) !== 0) {
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0')
    throw new RktError('key-invalid', `cannot use trusted keys in ${quote(path)}: others can write it (mode ${mode}); expected root alone`, { hint: `check its content, then: chmod go-w ${path}` })
  }
}
