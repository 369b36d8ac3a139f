import { binding, isErrno, limits, quote, RktError } from '../base/index.ts'

/** Ids of an app inside its pod. */
export interface AppUser {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups, the primary one among them. */
  readonly groups: readonly number[]
}

export interface UserRequest {
  /** Name, number, or absolute path whose owner is taken. */
  readonly user: string
  readonly group: string
  readonly supplementaryGIDs: readonly number[]
}

export interface ResolveUserOptions {
  /** Descriptor of the app's root tree. */
  readonly rootFd: number
  /** Ids from 0 to below this one exist in the pod. */
  readonly idCount: number
}

/**
 * Resolves user and group inside the app's own tree, with bounded reads: numbers are numbers, paths give their owner, names are looked
 * up in `etc/passwd` and `etc/group`.
 *
 * @throws RktError `not-found` for an unknown name or path, `limit-exceeded` for a database that is too large, `invalid-manifest` for
 * an id that the pod does not have.
 */
export function resolveUser(request: UserRequest, options: ResolveUserOptions): AppUser {
  const uid = resolveId(request.user, { kind: 'user', ...options })
  const gid = resolveId(request.group, { kind: 'group', ...options })
  const groups = [...new Set([gid, ...request.supplementaryGIDs.map((id) => checkedId(id, 'group', options.idCount))])]
  return { uid, gid, groups }
}

interface IdOptions extends ResolveUserOptions {
  readonly kind: 'user' | 'group'
}

function resolveId(text: string, options: IdOptions): number {
  if (/^[0-9]+$/.test(text)) return checkedId(Number(text), options.kind, options.idCount)
  if (text.startsWith('/')) {
    const found = inImage(text, () => binding().statInRoot(options.rootFd, text))
    if (found === null) throw new RktError('not-found', `${quote(text)} ${options.kind} not found: no such path in the image`)
    return checkedId(options.kind === 'user' ? found.uid : found.gid, options.kind, options.idCount)
  }
  const id = findName(text, options)
  if (id !== undefined) return checkedId(id, options.kind, options.idCount)
  if (text === 'root') return 0
  throw new RktError('not-found', `${quote(text)} ${options.kind} not found`, {
    hint: `use a number, or a name of the image's /etc/${options.kind === 'user' ? 'passwd' : 'group'}`,
  })
}

function checkedId(id: number, kind: 'user' | 'group', count: number): number {
  if (Number.isSafeInteger(id) && id >= 0 && id < count) return id
  throw new RktError('invalid-manifest', `cannot use ${kind} id ${id}: out of range; expected 0 to ${count - 1}`, {
    ...(id < 0xffff_ffff ? { hint: 'with --private-users=false all ids of the host exist' } : {}),
  })
}

/** Attack: a database that is a link in circles, a FIFO, a directory or endless. */
function inImage<T>(path: string, read: () => T): T {
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

/** `name:password:id:…`, the first matching line wins; source: passwd(5), group(5). */
function findName(name: string, { rootFd, kind }: IdOptions): number | undefined {
  const path = kind === 'user' ? 'etc/passwd' : 'etc/group'
  const content = inImage(path, () => binding().readInRoot(rootFd, path, limits.userDatabaseBytes))
  if (content === null) return undefined
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const prefix = Buffer.from(`${name}:`)
  for (let start = 0; start < bytes.byteLength; ) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.byteLength : newline
    if (end - start > maxLineBytes) throw new RktError('limit-exceeded', `cannot read ${quote(path)} of the image: a line of ${end - start} bytes`)
    if (bytes.subarray(start, start + prefix.byteLength).equals(prefix)) {
      const id = bytes.subarray(start, end).toString('latin1').split(':')[2]
      if (id !== undefined && /^[0-9]{1,10}$/.test(id)) return Number(id)
    }
    start = end + 1
  }
  return undefined
}
