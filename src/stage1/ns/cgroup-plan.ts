import { join } from 'node:path'
import { RktError } from '../../base/index.ts'
import type { App, Isolator } from '../../spec/index.ts'
import type { CgroupFacts, Hierarchy } from '../cgroups.ts'
import type { Operation } from '../plan/operations.ts'

/** Processes and threads that one app may have. */
const maxTasks = 2048

/** The group of pod init. */
const initGroup = 'init'

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
  readonly apps: readonly { readonly name: string; readonly app: App }[]
  /** What the kernel's device policy allows; left out: no policy, for pods whose root can make no usable node. */
  readonly devices?: readonly string[]
}

type Controller = 'pids' | 'memory' | 'cpu'

/** Plans the groups of a pod: one for the pod below the caller's own, one below it for each app, with its limits. */
export function planCgroups(facts: CgroupFacts, options: CgroupPlanOptions): CgroupPlan {
  return facts.kind === 'v2' ? planVersion2(facts, options) : planVersion1(facts, options)
}

function planVersion1(facts: CgroupFacts, { uuid, apps, devices }: CgroupPlanOptions): CgroupPlan {
  const group = `rkt-${uuid}`
  const used = neededControllers(apps).map((controller) => ({ controller, hierarchy: hierarchyOf(facts, controller) }))
  const base = (hierarchy: Hierarchy): string => join(hierarchy.mountPoint, hierarchy.ownGroup, group)
  const places = new Map(used.map(({ hierarchy }) => [base(hierarchy), hierarchy]))
  const pod = [...places.keys()].map((path): Operation => ({ op: 'cgroup', path, join: 1 }))
  const end = [...places.keys()]
  if (devices !== undefined) {
    const path = base(hierarchyOf(facts, 'devices'))
    if (!places.has(path)) {
      pod.push({ op: 'cgroup', path, join: 1 })
      end.push(path)
    }
    pod.push({ op: 'device-policy', version: 1, path, rules: devices })
  }
  return {
    pod,
    app: (name) => {
      const made = [...places.keys()].map((path): Operation => ({ op: 'app-cgroup', path: join(path, appGroup(name)) }))
      const app = apps.find((candidate) => candidate.name === name)?.app
      const limits = used.flatMap(({ controller, hierarchy }) => limitsVersion1(controller, join(base(hierarchy), appGroup(name)), app?.isolators ?? []))
      return [...made, ...limits]
    },
    view: [
      { op: 'tmpfs', target: 'sys/fs/cgroup', options: 'mode=0755,size=4k', flags: 1 },
      ...[...places.values()].map((hierarchy): Operation => {
        const controllers = hierarchy.controllers.join(',')
        return { op: 'cgroupfs', target: join('sys/fs/cgroup', controllers), controllers }
      }),
      { op: 'read-only', path: 'sys/fs/cgroup' },
    ],
    end: end.map((path): Operation => ({ op: 'end-cgroup', path })),
    subcgroup: join(hierarchyOf(facts, 'pids').ownGroup, group).replace(/^\//, ''),
  }
}

/**
 * A version 2 group with members hands no controllers down, so pods go below the caller's own group only where that was delegated to
 * it; else they go to the root of the hierarchy.
 */
function planVersion2(facts: CgroupFacts, { uuid, apps, devices }: CgroupPlanOptions): CgroupPlan {
  const unified = facts.hierarchies.find(({ controllers }) => controllers.length === 0)
  if (unified === undefined) throw new Error('version 2 facts without a version 2 hierarchy')
  const needed = neededControllers(apps)
  for (const controller of needed) if (!facts.controllers.includes(controller)) throw noController(controller)
  const delegated = needed.every((controller) => facts.delegated.includes(controller))
  const parentGroup = delegated ? unified.ownGroup : '/'
  const parent = join(unified.mountPoint, parentGroup)
  const path = join(parent, `rkt-${uuid}`)
  const enable = needed.map((controller) => `+${controller}`).join(' ')
  return {
    pod: [
      ...(delegated ? [] : [{ op: 'cgroup-set', file: join(parent, 'cgroup.subtree_control'), value: enable } as const]),
      { op: 'cgroup', path, join: 0 },
      { op: 'cgroup-set', file: join(path, 'cgroup.subtree_control'), value: enable },
      ...(devices === undefined ? [] : [{ op: 'device-policy', version: 2, path, rules: devices } as const]),
      { op: 'cgroup', path: join(path, initGroup), join: 1 },
    ],
    app: (name) => {
      const app = apps.find((candidate) => candidate.name === name)?.app
      const limits = needed.flatMap((controller) => limitsVersion2(controller, join(path, appGroup(name)), app?.isolators ?? []))
      return [{ op: 'app-cgroup', path: join(path, appGroup(name)) }, ...limits]
    },
    view: [{ op: 'cgroupfs', target: 'sys/fs/cgroup', controllers: '' }],
    end: [{ op: 'end-cgroup', path }],
    subcgroup: join(parentGroup, `rkt-${uuid}`).replace(/^\//, ''),
  }
}

function neededControllers(apps: CgroupPlanOptions['apps']): Controller[] {
  const isolators = apps.flatMap(({ app }) => app.isolators)
  const needed: Controller[] = ['pids']
  if (memoryLimit(isolators) !== undefined) needed.push('memory')
  if (isolators.some(({ kind }) => kind === 'cpu' || kind === 'cpu-shares')) needed.push('cpu')
  return needed
}

function hierarchyOf(facts: CgroupFacts, controller: string): Hierarchy {
  const found = facts.hierarchies.find(({ controllers }) => controllers.includes(controller))
  if (found === undefined) throw noController(controller)
  return found
}

function noController(controller: string): RktError {
  return new RktError('unsupported-host', `cannot limit the pod: this host has no ${controller} controller for control groups`, {
    hint: 'enable the controller, or leave the limit away',
  })
}

function limitsVersion1(controller: Controller, group: string, isolators: readonly Isolator[]): Operation[] {
  const set = (file: string, value: string | number): Operation => ({ op: 'cgroup-set', file: join(group, file), value: String(value) })
  const memory = memoryLimit(isolators)
  const { quotaUs, shares } = cpuLimits(isolators)
  if (controller === 'pids') return [set('pids.max', maxTasks)]
  if (controller === 'memory') return memory === undefined ? [] : [set('memory.limit_in_bytes', memory)]
  return [...(quotaUs === undefined ? [] : [set('cpu.cfs_quota_us', quotaUs)]), ...(shares === undefined ? [] : [set('cpu.shares', shares)])]
}

function limitsVersion2(controller: Controller, group: string, isolators: readonly Isolator[]): Operation[] {
  const set = (file: string, value: string | number): Operation => ({ op: 'cgroup-set', file: join(group, file), value: String(value) })
  const memory = memoryLimit(isolators)
  const { quotaUs, shares } = cpuLimits(isolators)
  if (controller === 'pids') return [set('pids.max', maxTasks)]
  if (controller === 'memory') return memory === undefined ? [] : [set('memory.max', memory)]
  // SPEC: the mapping of shares 2…262144 to weights 1…10000 that OCI runtimes use.
  const weight = shares === undefined ? undefined : 1 + Math.floor(((shares - 2) * 9999) / 262142)
  return [...(quotaUs === undefined ? [] : [set('cpu.max', `${quotaUs} 100000`)]), ...(weight === undefined ? [] : [set('cpu.weight', weight)])]
}

function memoryLimit(isolators: readonly Isolator[]): number | undefined {
  return isolators.flatMap((isolator) => (isolator.kind === 'memory' && isolator.limitBytes !== undefined ? [isolator.limitBytes] : [])).at(-1)
}

function cpuLimits(isolators: readonly Isolator[]): { readonly quotaUs?: number; readonly shares?: number } {
  const millis = isolators.flatMap((isolator) => (isolator.kind === 'cpu' && isolator.limitMillis !== undefined ? [isolator.limitMillis] : [])).at(-1)
  const shares = isolators.flatMap((isolator) => (isolator.kind === 'cpu-shares' ? [isolator.shares] : [])).at(-1)
  // The period is 100 ms; the kernel's least quota 1 ms.
  return { ...(millis === undefined ? {} : { quotaUs: Math.max(1000, Math.round(millis * 100)) }), ...(shares === undefined ? {} : { shares }) }
}
