import { closeSync, constants, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { binding, mappedIdCount } from '../base/index.ts'
import { type PreparedApp, type PreparedPod, requireHostSources, resolveMounts } from '../pod/index.ts'
import { type CgroupFacts, readCgroupFacts } from './cgroups.ts'
import type { DeviceNode, HostFacts, RootFacts, VolumeSource } from './facts.ts'
import { parseMountinfo } from './mountinfo.ts'
import { readDisks } from './disks.ts'
import type { PassedSocket } from './passed-sockets.ts'
import { unmappableSources } from './owner-mapping.ts'
import { readSecurityModules } from './security-modules.ts'
import { resolveUser } from './user.ts'

/** What the caller knows, and nobody can read from the host. */
export interface HostFactsOptions {
  readonly term?: string | undefined
  readonly sockets?: readonly PassedSocket[]
  readonly notifySocket?: string | undefined
  /** Instead of the caller's own: those with which the pod was started. */
  readonly cgroups?: CgroupFacts
}

/**
 * Reads what the planner needs to know of the host.
 *
 * @throws RktError `missing-volume` when the source of a host volume does not exist, `unsupported-host` without control groups.
 */
export function readHostFacts(pod: PreparedPod, options: HostFactsOptions): HostFacts {
  const sources = new Map<string, VolumeSource>()
  for (const app of pod.apps) {
    const { mounts } = resolveMounts(app, pod.manifest.volumes)
    requireHostSources(mounts)
    for (const { source } of mounts) {
      if (source.kind !== 'host') continue
      const path = realpathSync(source.path)
      const device = deviceNode(statSync(path))
      sources.set(source.path, { path, ...(device === undefined ? {} : { device }) })
    }
  }
  const mounts = sources.size === 0 ? [] : parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1'))
  const rootless = mappedIdCount() !== undefined
  const paths = [...sources.values()].filter(({ device }) => device === undefined).map(({ path }) => path)
  return {
    cgroups: options.cgroups ?? readCgroupFacts(),
    security: readSecurityModules(),
    disks: limitsDisks(pod) ? readDisks() : [],
    rootless,
    mounts,
    unmappable: pod.idRange === undefined || rootless ? new Set() : unmappableSources(paths, mounts),
    sources,
    terminal: binding().isTerminal(0),
    term: options.term ?? 'vt100',
    sockets: options.sockets ?? [],
    ...(options.notifySocket === undefined || options.notifySocket === '' ? {} : { notifySocket: options.notifySocket }),
  }
}

function limitsDisks({ apps, manifest }: PreparedPod): boolean {
  return [...manifest.isolators, ...apps.flatMap(({ app }) => app.isolators)].some(({ kind }) => kind === 'block-bandwidth' || kind === 'block-iops')
}

/** SPEC: Linux `dev_t` as the C library packs it, 12 + 20 bits of each number spread over 64. */
function deviceNode(stat: Stats): DeviceNode | undefined {
  const type = stat.isBlockDevice() ? 'b' : stat.isCharacterDevice() ? 'c' : undefined
  if (type === undefined) return undefined
  const number = BigInt(stat.rdev)
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn & 0xffffffffn)
  return { type, major: Number(major), minor: Number(minor) }
}

/**
 * Reads what the planner needs to know of an app's root, resolved inside it.
 *
 * @throws RktError as `resolveUser`.
 */
export function readRootFacts(app: PreparedApp, options: { readonly idCount: number }): RootFacts {
  const rootFds: number[] = []
  try {
    for (const root of app.roots) rootFds.push(openSync(root, constants.O_RDONLY | constants.O_DIRECTORY))
    return {
      user: resolveUser(app.app, { rootFds, idCount: options.idCount }),
      hasHosts: binding().statInRoot(rootFds, 'etc/hosts') !== null,
    }
  } finally {
    for (const fd of rootFds) closeSync(fd)
  }
}
