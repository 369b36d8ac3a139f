import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binding, isRktError, limits } from '../../src/base/index.ts'
import { primaryGroup } from '../../src/spec/index.ts'
import { resolveUser } from '../../src/stage1/user.ts'
import { temporaryDirectory } from '../support/temp.ts'
import type { Reader } from './fuzz.ts'

/** Readers of an image's own tree, in a directory of their own. */
export interface TreeReaders extends Disposable {
  readonly readers: readonly Reader[]
}

const idCount = 65536
const requests = ['user', '1000', '/etc/passwd', 'root'].map((user) => ({ user, group: user === '1000' ? primaryGroup : user === '/etc/passwd' ? user : 'user', supplementaryGIDs: [7] }))

/** Makes trees on disk whose links lead everywhere; the files inside hold one word, those outside others. */
export function openTreeReaders(): TreeReaders {
  const place = temporaryDirectory()
  writeFileSync(place.in('file'), 'outside')
  const [upper, lower] = [makeTree(place.in('upper')), makeTree(place.in('lower'))]
  const fds = [upper, lower].map((path) => openSync(path, 'r'))
  const account = (name: 'passwd' | 'group'): Reader['read'] => (bytes) => {
    writeFileSync(join(upper, 'etc', name), bytes)
    const answers = requests.map((request) => answerOf(() => resolveUser(request, { rootFds: fds, idCount })))
    writeFileSync(join(upper, 'etc', name), '')
    return answers
  }
  const path = (rootFds: readonly number[]): Reader['read'] => (bytes) => {
    const found = binding().readInRoot(rootFds, bytes.toString('utf8'), limits.userDatabaseBytes)
    if (found !== null && !['inside', ''].includes(Buffer.from(found).toString())) throw new Error('read a file outside')
    return found
  }
  return {
    readers: [
      { name: 'passwd', read: account('passwd') },
      { name: 'group', read: account('group') },
      { name: 'path-in-tree', read: path(fds.slice(0, 1)), refuses: isAnswer },
      { name: 'path-in-layers', read: path(fds), refuses: isAnswer },
    ],
    [Symbol.dispose]: () => {
      for (const fd of fds) closeSync(fd)
      place[Symbol.dispose]()
    },
  }
}

/** The kernel's word, or that a text with NUL is no path. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(E[A-Z0-9]+|ERR_INVALID_ARG_TYPE)$/.test(error.code)
}

function answerOf(resolve: () => { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }): unknown {
  try {
    const user = resolve()
    const wrong = [user.uid, user.gid, ...user.groups].some((id) => !Number.isSafeInteger(id) || id < 0 || id >= idCount)
    if (wrong) throw new Error(`resolved to ${JSON.stringify(user)}`)
    return user
  } catch (error) {
    if (isRktError(error)) return error.code
    throw error
  }
}

function makeTree(path: string): string {
  mkdirSync(join(path, 'etc/deep'), { recursive: true })
  for (const file of ['file', 'etc/file', 'etc/deep/file']) writeFileSync(join(path, file), 'inside')
  for (const file of ['passwd', 'group']) writeFileSync(join(path, 'etc', file), '')
  const links = { up: '..', out: '../../../../../file', root: '/', loop: 'loop', a: 'b', b: 'a', magic: '/proc/self/root', etc2: '/etc', deep: 'etc/deep', long: 'etc/'.repeat(500) }
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(path, name))
  symlinkSync('../../../up/up/file', join(path, 'etc/deep/above'))
  return path
}
