import { binding, quote, RktError } from '../base/index.ts'
import { primaryGroup } from '../spec/index.ts'
import { accounts, findAccount, idOf, inImage } from './accounts.ts'

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
  /** As the user, or `primaryGroup`. */
  readonly group: string
  readonly supplementaryGIDs: readonly number[]
}

export interface ResolveUserOptions {
  /** Descriptors of the trees that the app's root is put together from, the topmost first. */
  readonly rootFds: readonly number[]
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
  if (request.group === primaryGroup) return withAccountGroups(uid, request, options)
  const gid = resolveId(request.group, { kind: 'group', ...options })
  const groups = [...new Set([gid, ...request.supplementaryGIDs.map((id) => checkedId(id, 'group', options.idCount))])]
  return { uid, gid, groups }
}

/**
 * The groups of the account: the primary one of `etc/passwd`, 0 for a user who is not in there, and all of `etc/group` that name the
 * user. SPEC: OCI image-spec config.md, `User`.
 */
function withAccountGroups(uid: number, { user, supplementaryGIDs }: UserRequest, { rootFds, idCount }: ResolveUserOptions): AppUser {
  const numeric = /^[0-9]+$/.test(user)
  const account = findAccount(rootFds, 'user', ([name, , id]) => (numeric ? id === String(uid) : name === user))
  const gid = checkedId(idOf(account?.[3]) ?? 0, 'group', idCount)
  const more: number[] = []
  if (account?.[0] !== undefined) {
    for (const [, , id, members = ''] of accounts(rootFds, 'group')) {
      const found = idOf(id)
      if (found !== undefined && members.split(',').includes(account[0])) more.push(checkedId(found, 'group', idCount))
      if (more.length > maxGroups) throw new RktError('limit-exceeded', `cannot use user ${quote(user)}: member of more than ${maxGroups} groups of the image`)
    }
  }
  return { uid, gid, groups: [...new Set([gid, ...more, ...supplementaryGIDs.map((id) => checkedId(id, 'group', idCount))])] }
}

/** As many groups of an account as are taken; the kernel would take 65536. */
const maxGroups = 1024

interface IdOptions extends ResolveUserOptions {
  readonly kind: 'user' | 'group'
}

function resolveId(text: string, options: IdOptions): number {
  if (/^[0-9]+$/.test(text)) return checkedId(Number(text), options.kind, options.idCount)
  if (text.startsWith('/')) {
    const found = inImage(text, () => binding().statInRoot(options.rootFds, text))
    if (found === null) throw new RktError('not-found', `${quote(text)} ${options.kind} not found: no such path in the image`)
    return checkedId(options.kind === 'user' ? found.uid : found.gid, options.kind, options.idCount)
  }
  const id = idOf(findAccount(options.rootFds, options.kind, ([name, , number]) => name === text && idOf(number) !== undefined)?.[2])
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
