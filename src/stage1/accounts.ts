import { binding, isErrno, limits, quote, RktError } from '../base/index.ts'

/** Attack: a database that is a link in circles, a FIFO, a directory or endless. */
export function inImage<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isErrno(error, 'EFBIG')) {
      throw new RktError('limit-exceeded', `cannot read ${quote(path)} of the image: more than ${limits.userDatabaseBytes} bytes`, { cause: error })
    }
    if (isErrno(error, 'EINVAL', 'EISDIR', 'ELOOP', 'ENOTDIR', 'ENXIO', 'EACCES')) {
      throw new RktError('invalid-manifest', `cannot read ${quote(path)} of the image: it does not lead to a regular file; expected one, or a numeric id`, { cause: error })
    }
    throw error
  }
}

/** Lines longer than this belong to no account database. */
const maxLineBytes = 64 * 1024

/**
 * The lines of `etc/passwd` or `etc/group`, cut at the colons, with bounded reads inside the trees; source: passwd(5), group(5).
 *
 * @throws RktError `limit-exceeded`, `invalid-manifest`.
 */
export function* accounts(rootFds: readonly number[], kind: 'user' | 'group'): Generator<readonly string[]> {
  const path = kind === 'user' ? 'etc/passwd' : 'etc/group'
  const content = inImage(path, () => binding().readInRoot(rootFds, path, limits.userDatabaseBytes))
  if (content === null) return
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  for (let start = 0; start < bytes.byteLength; ) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.byteLength : newline
    if (end - start > maxLineBytes) throw new RktError('limit-exceeded', `cannot read ${quote(path)} of the image: a line of ${end - start} bytes`)
    yield bytes.subarray(start, end).toString('utf8').split(':')
    start = end + 1
  }
}

/** The first line that matches. */
export function findAccount(rootFds: readonly number[], kind: 'user' | 'group', matches: (fields: readonly string[]) => boolean): readonly string[] | undefined {
  for (const fields of accounts(rootFds, kind)) if (matches(fields)) return fields
  return undefined
}

/** The number in a field. */
export function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined
}
