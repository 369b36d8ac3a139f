import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { binding, mappedIdCount, RktError } from '../base/index.ts'
import { cleanMountPath } from './mountinfo.ts'

/** One hierarchy of control groups as this process sees it. */
export interface Hierarchy {
  /** Names of version 1 controllers, or `name=…`; empty for version 2. */
  readonly controllers: readonly string[]
  /** Where it is mounted, absolute. */
  readonly mountPoint: string
  /** The group of the caller, from the mount point: `/` or `/user.slice/…`. */
  readonly ownGroup: string
}

/** What this host offers to account and limit pods. */
export interface CgroupFacts {
  /** `v2`: one hierarchy with controllers; `v1`: a hierarchy per controller, perhaps with an empty version 2 one; `none`: nothing is ours. */
  readonly kind: 'v1' | 'v2' | 'none'
  readonly hierarchies: readonly Hierarchy[]
  /** Controllers of the version 2 root, empty for v1. */
  readonly controllers: readonly string[]
  /** Controllers that the caller's version 2 group hands down. */
  readonly delegated: readonly string[]
  /** Controllers that it could hand down. */
  readonly available: readonly string[]
  /** Whether that group was delegated and this process is its only member, so that groups below may be made. */
  readonly ownsGroup: boolean
}

/** The hierarchy of a controller; block limits are named `io` as in version 2. */
export function hierarchyWith({ hierarchies }: CgroupFacts, controller: string): Hierarchy | undefined {
  return hierarchies.find(({ controllers }) => controllers.includes(controller === 'io' ? 'blkio' : controller))
}

/** Reads /proc/self/cgroup, /proc/self/mountinfo and the version 2 root; source: cgroups(7). */
export function readCgroupFacts(): CgroupFacts {
  const hierarchies = findHierarchies(readFileSync('/proc/self/mountinfo', 'latin1'), readFileSync('/proc/self/cgroup', 'utf8'))
  const unified = hierarchies.find(({ controllers }) => controllers.length === 0)
  const controllers = unified === undefined ? [] : words(join(unified.mountPoint, 'cgroup.controllers'))
  const kind = hierarchies.some((hierarchy) => hierarchy.controllers.includes('pids')) ? 'v1' : 'v2'
  if (mappedIdCount() !== undefined) return delegatedFacts(unified)
  if (kind === 'v2' && (unified === undefined || !controllers.includes('pids'))) {
    throw new RktError('unsupported-host', 'cannot limit pods: no pids controller is mounted below "/sys/fs/cgroup"; expected version 1 or 2 control groups')
  }
  const own = kind === 'v2' && unified !== undefined ? join(unified.mountPoint, unified.ownGroup) : undefined
  const delegated = own === undefined ? [] : words(join(own, 'cgroup.subtree_control'))
  const available = own === undefined ? [] : words(join(own, 'cgroup.controllers'))
  return { kind, hierarchies, controllers, delegated, available, ownsGroup: own !== undefined && ownsGroup(own) }
}

/** systemd marks the groups that it leaves to their units (`Delegate=yes`) with an attribute; source: systemd, CGROUP_DELEGATION. */
function ownsGroup(path: string): boolean {
  if (!binding().xattrNames(path).includes('trusted.delegate')) return false
  return words(join(path, 'cgroup.procs')).every((pid) => pid === String(process.pid))
}

/**
 * An ordinary user may make groups below a version 2 group that he can write, and limit them by what that group hands down; a group where
 * nobody else is can be made to hand down all that it has.
 */
function delegatedFacts(unified: Hierarchy | undefined): CgroupFacts {
  const none: CgroupFacts = { kind: 'none', hierarchies: [], controllers: [], delegated: [], available: [], ownsGroup: false }
  if (unified === undefined) return none
  const group = join(unified.mountPoint, unified.ownGroup)
  try {
    for (const path of [group, join(group, 'cgroup.procs'), join(group, 'cgroup.subtree_control')]) accessSync(path, constants.W_OK)
  } catch {
    return none
  }
  const delegated = words(join(group, 'cgroup.subtree_control'))
  const available = words(join(group, 'cgroup.controllers'))
  const alone = words(join(group, 'cgroup.procs')).every((pid) => pid === String(process.pid))
  if (!delegated.includes('pids') && !(alone && available.includes('pids'))) return none
  return { kind: 'v2', hierarchies: [unified], controllers: alone ? available : delegated, delegated, available, ownsGroup: alone }
}

function words(path: string): string[] {
  return readFileSync(path, 'utf8').split(/\s+/).filter((word) => word !== '')
}

/** Pairs the mounts of type cgroup and cgroup2 with the caller's group in each. */
export function findHierarchies(mountinfo: string, selfCgroup: string): Hierarchy[] {
  const own = new Map<string, string>()
  for (const line of selfCgroup.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (names !== undefined && path !== undefined) own.set(names, path)
  }
  const found = new Map<string, Hierarchy>()
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ')
    const [, , , root, point] = before?.split(' ') ?? []
    const [type, , options] = after?.split(' ') ?? []
    if (root === undefined || point === undefined || options === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue
    const names = type === 'cgroup2' ? '' : [...own.keys()].find((key) => key !== '' && sameControllers(key, options))
    const path = names === undefined ? undefined : own.get(names)
    if (names === undefined || path === undefined || found.has(names)) continue
    const ownGroup = root === '/' ? path : path === root ? '/' : path.startsWith(`${root}/`) ? path.slice(root.length) : '/'
    found.set(names, { controllers: names === '' ? [] : names.split(','), mountPoint: cleanMountPath(point), ownGroup })
  }
  return [...found.values()]
}

function sameControllers(names: string, options: string): boolean {
  const listed = options.split(',')
  return names.split(',').every((name) => listed.includes(name))
}
