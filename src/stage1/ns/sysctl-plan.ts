import { quote, RktError } from '../../base/index.ts'
import type { IsolatorOf } from '../../spec/index.ts'
import type { Operation } from '../plan/operations.ts'

/** Which namespaces a pod has of its own. */
export interface OwnNamespaces {
  readonly network: boolean
  readonly ipc: boolean
  readonly user: boolean
}

/** How many user namespaces may be made inside a pod. */
export const nestedNamespaces = 'user/max_user_namespaces'

/** What the kernel keeps per namespace; source: proc(5), Documentation/admin-guide/sysctl. */
const namespaced: readonly (readonly [pattern: RegExp, namespace: keyof OwnNamespaces])[] = [
  [/^net\/./, 'network'],
  [/^fs\/mqueue\/./, 'ipc'],
  [/^kernel\/(shmmax|shmall|shmmni|shm_rmid_forced|msgmax|msgmnb|msgmni|sem|auto_msgmni|(msg|sem|shm)_next_id)$/, 'ipc'],
  [/^user\/max_[a-z_]+$/, 'user'],
]

/** Why a setting cannot be made for the pod alone; undefined when it can. */
export function sysctlObstacle(name: string, own: OwnNamespaces): string | undefined {
  const path = sysctlPath(name)
  if (path === undefined) return `${quote(name)} is not the name of a setting; expected one such as net.ipv4.ip_forward`
  if (path === 'kernel/domainname') return undefined
  const found = namespaced.find(([pattern]) => pattern.test(path))
  if (found === undefined) return `${quote(name)} is a setting of the whole host; expected net.*, fs.mqueue.*, kernel.shm*, kernel.msg*, kernel.sem, kernel.domainname or user.max_*`
  return own[found[1]] ? undefined : `${quote(name)} is a setting of the host here: the pod has no ${found[1]} namespace of its own`
}

/** The path below /proc/sys: as with sysctl(8), the first separator tells whether dots or slashes part the name. */
function sysctlPath(name: string): string | undefined {
  const path = /^[^/.]*\//.test(name) ? name : name.replaceAll('.', '\0').replaceAll('/', '.').replaceAll('\0', '/')
  const words = path.split('/')
  return words.length > 1 && words.every((word) => /^[A-Za-z0-9_.-]+$/.test(word) && word !== '.' && word !== '..') ? path : undefined
}

/**
 * Plans the settings of a pod's namespaces, which all its apps share.
 *
 * @throws RktError `invalid-manifest` when two apps want different values.
 */
export function planSysctls(isolators: readonly IsolatorOf<'sysctl'>[]): Operation[] {
  const values = new Map<string, string>()
  for (const [name, value] of isolators.flatMap(({ settings }) => Object.entries(settings))) {
    const path = sysctlPath(name) ?? name
    const other = values.get(path)
    if (other !== undefined && other !== value) {
      throw new RktError('invalid-manifest', `cannot set sysctl ${quote(name)}: apps of one pod want ${quote(other)} and ${quote(value)}`)
    }
    values.set(path, value)
  }
  return [...values].map(([path, value]): Operation => ({ op: 'sysctl', path, value }))
}
