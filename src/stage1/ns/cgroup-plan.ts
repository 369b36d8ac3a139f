import { join } from 'node:path'
import { RktError } from '../../base/index.ts'
import type { Isolator } from '../../spec/index.ts'
import { type CgroupFacts, type Hierarchy, hierarchyWith } from '../cgroups.ts'
import { cgroupJoin } from '../plan/flags.ts'
import type { Operation } from '../plan/operations.ts'
import { type Controller, controllerOf, type Limit, limitsVersion1, limitsVersion2, taskLimit } from './cgroup-limits.ts'

const controllers: readonly Controller[] = ['pids', 'memory', 'cpu', 'io']

/** The group of pod init. */
const initGroup = 'init'

/** The group of the launcher where a group was delegated to it: version 2 groups that hand controllers down have no members. */
const launcherGroup = 'rkt-launcher'

/** The group of an app: an app may be called `tasks`, as a file in every group of version 1. */
function appGroup(name: string): string {
  return `app-${name}`
}

export interface CgroupPlan {
  readonly pod: readonly Operation[]
  readonly app: (name: string) => readonly Operation[]
  /** What an app sees at `/sys/fs/cgroup`. */
  readonly view: readonly Operation[]
  readonly end: readonly Operation[]
  /** Path of the pod's group from the root of its hierarchy, without leading slash. */
  readonly subcgroup: string
}

export interface CgroupPlanOptions {
  readonly uuid: string
  /** Isolators that are to be enforced, by app. */
  readonly apps: readonly { readonly name: string; readonly isolators: readonly Isolator[] }[]
  /** Those of the pod as a whole. */
  readonly isolators: readonly Isolator[]
  /** `MAJOR:MINOR` of the disks that block limits hold for. */
  readonly disks: readonly string[]
  /** Groups of every controller that the host has: later apps may need them. */
  readonly everyController?: boolean
  /** What the kernel's device policy allows; left out: no policy, for pods whose root can make no usable node. */
  readonly devices?: readonly string[]
}

/** Plans the groups of a pod: one for the pod below the caller's own, one below it for each app, with its limits. */
export function planCgroups(facts: CgroupFacts, options: CgroupPlanOptions): CgroupPlan {
  if (facts.kind === 'none') return planNothing(facts, options)
  return facts.kind === 'v2' ? planVersion2(facts, options) : planVersion1(facts, options)
}

/** No group is ours: limits that were asked for are refused, the pod sees no group, and its tasks are counted by its user namespace. */
function planNothing(facts: CgroupFacts, options: CgroupPlanOptions): CgroupPlan {
  const [wanted] = neededControllers(facts, options).filter((controller) => controller !== 'pids')
  if (wanted !== undefined) throw noController(wanted)
  const view: Operation[] = [
    { op: 'tmpfs', target: 'sys/fs/cgroup', options: 'mode=0755,size=4k', flags: 1 },
    { op: 'read-only', path: 'sys/fs/cgroup' },
  ]
  const count = Number(taskLimit.value) * Math.max(1, options.apps.length)
  return { pod: [{ op: 'tasks', count }], app: () => [], view, end: [], subcgroup: '' }
}

function planVersion1(facts: CgroupFacts, options: CgroupPlanOptions): CgroupPlan {
  const { uuid, apps, devices } = options
  const group = `rkt-${uuid}`
  const needed = neededControllers(facts, options)
  const base = (controller: string): string => {
    const { mountPoint, ownGroup } = controllerHierarchy(facts, controller)
    return join(mountPoint, ownGroup, group)
  }
  const places = new Map(needed.map((controller) => [base(controller), controllerHierarchy(facts, controller)]))
  const paths = [...new Set([...places.keys(), ...(devices === undefined ? [] : [base('devices')])])]
  const set = (limits: readonly Limit[], below: string): Operation[] =>
    limits.map(({ controller, file, value }) => ({ op: 'cgroup-set', file: join(base(controller), below, file), value }))
  return {
    pod: [
      ...paths.map((path): Operation => ({ op: 'cgroup', path, join: cgroupJoin.init })),
      ...set(limitsVersion1(options.isolators, options), ''),
      ...(devices === undefined ? [] : [{ op: 'device-policy', version: 1, path: base('devices'), rules: devices } as const]),
    ],
    app: (name) => [
      ...[...places.keys()].map((path): Operation => ({ op: 'app-cgroup', path: join(path, appGroup(name)) })),
      ...set([taskLimit, ...limitsVersion1(isolatorsOf(apps, name), options)], appGroup(name)),
      ...(needed.includes('memory') ? [{ op: 'oom-events', file: join(base('memory'), appGroup(name), 'memory.oom_control') } as const] : []),
    ],
    view: [
      { op: 'tmpfs', target: 'sys/fs/cgroup', options: 'mode=0755,size=4k', flags: 1 },
      ...[...places.values()].map((hierarchy): Operation => {
        const controllers = hierarchy.controllers.join(',')
        return { op: 'cgroupfs', target: join('sys/fs/cgroup', controllers), controllers }
      }),
      { op: 'read-only', path: 'sys/fs/cgroup' },
    ],
    end: paths.map((path): Operation => ({ op: 'end-cgroup', path })),
    subcgroup: join(controllerHierarchy(facts, 'pids').ownGroup, group).replace(/^\//, ''),
  }
}

/**
 * A version 2 group with members hands no controllers down. Where the caller's group was delegated to it, as systemd does with
 * `Delegate=yes`, the launcher goes into a group below and the pod beside it; where it is a root, the pod goes right below; else pods go
 * to the root of the hierarchy.
 */
function planVersion2(facts: CgroupFacts, options: CgroupPlanOptions): CgroupPlan {
  const { uuid, apps, devices } = options
  const unified = facts.hierarchies.find(({ controllers }) => controllers.length === 0)
  if (unified === undefined) throw new Error('version 2 facts without a version 2 hierarchy')
  const needed = neededControllers(facts, options)
  for (const controller of needed) if (!facts.controllers.includes(controller)) throw noController(controller)
  const ready = needed.every((controller) => facts.delegated.includes(controller))
  const owned = !ready && facts.ownsGroup && needed.every((controller) => facts.available.includes(controller))
  const parentGroup = ready || owned ? unified.ownGroup : '/'
  const parent = join(unified.mountPoint, parentGroup)
  const path = join(parent, `rkt-${uuid}`)
  const enable = needed.map((controller) => `+${controller}`).join(' ')
  const set = (limits: readonly Limit[], group: string): Operation[] => limits.map(({ file, value }) => ({ op: 'cgroup-set', file: join(group, file), value }))
  return {
    pod: [
      ...(owned ? [{ op: 'cgroup', path: join(parent, launcherGroup), join: cgroupJoin.launcher } as const] : []),
      ...(ready ? [] : [{ op: 'cgroup-set', file: join(parent, 'cgroup.subtree_control'), value: enable } as const]),
      { op: 'cgroup', path, join: cgroupJoin.nobody },
      { op: 'cgroup-set', file: join(path, 'cgroup.subtree_control'), value: enable },
      ...set(limitsVersion2(options.isolators, options), path),
      ...(devices === undefined ? [] : [{ op: 'device-policy', version: 2, path, rules: devices } as const]),
      { op: 'cgroup', path: join(path, initGroup), join: cgroupJoin.init },
    ],
    app: (name) => [
      { op: 'app-cgroup', path: join(path, appGroup(name)) },
      ...set([taskLimit, ...limitsVersion2(isolatorsOf(apps, name), options)], join(path, appGroup(name))),
      ...(needed.includes('memory') ? [{ op: 'oom-events', file: join(path, appGroup(name), 'memory.events') } as const] : []),
    ],
    view: [{ op: 'cgroupfs', target: 'sys/fs/cgroup', controllers: '' }],
    end: [{ op: 'end-cgroup', path }],
    subcgroup: join(parentGroup, `rkt-${uuid}`).replace(/^\//, ''),
  }
}

function isolatorsOf(apps: CgroupPlanOptions['apps'], name: string): readonly Isolator[] {
  return apps.find((candidate) => candidate.name === name)?.isolators ?? []
}

function neededControllers(facts: CgroupFacts, { apps, isolators, everyController }: CgroupPlanOptions): Controller[] {
  const there = everyController === true ? controllers.filter((controller) => (facts.kind === 'v2' ? facts.controllers.includes(controller) : hierarchyWith(facts, controller) !== undefined)) : []
  const all = [...isolators, ...apps.flatMap((app) => app.isolators)].map(controllerOf)
  return [...new Set<Controller>(['pids', ...there, ...all.filter((controller) => controller !== undefined)])]
}

function controllerHierarchy(facts: CgroupFacts, controller: string): Hierarchy {
  const found = hierarchyWith(facts, controller)
  if (found === undefined) throw noController(controller)
  return found
}

function noController(controller: string): RktError {
  return new RktError('unsupported-host', `cannot limit the pod: this host has no ${controller} controller for control groups`, {
    hint: 'enable the controller, or leave the limit away',
  })
}
