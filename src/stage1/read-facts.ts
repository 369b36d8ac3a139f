import { closeSync, constants, openSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { isatty } from 'node:tty'
import { binding } from '../base/index.ts'
import { type PreparedApp, type PreparedPod, requireHostSources, resolveMounts } from '../pod/index.ts'
import { readCgroupFacts } from './cgroups.ts'
import type { HostFacts, RootFacts } from './facts.ts'
import { parseMountinfo } from './mountinfo.ts'
import { resolveUser } from './user.ts'

/**
 * Reads what the planner needs to know of the host.
 *
 * @throws RktError `missing-volume` when the source of a host volume does not exist, `unsupported-host` without control groups.
 */
export function readHostFacts(pod: PreparedPod, options: { readonly term: string | undefined }): HostFacts {
  const sources = new Map<string, { readonly path: string; readonly device: boolean }>()
  for (const app of pod.apps) {
    const { mounts } = resolveMounts(app, pod.manifest.volumes)
    requireHostSources(mounts)
    for (const { source } of mounts) {
      if (source.kind !== 'host') continue
      const path = realpathSync(source.path)
      const stat = statSync(path)
      sources.set(source.path, { path, device: stat.isBlockDevice() || stat.isCharacterDevice() })
    }
  }
  return {
    cgroups: readCgroupFacts(),
    mounts: sources.size === 0 ? [] : parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1')),
    sources,
    terminal: isatty(0),
    term: options.term ?? 'vt100',
  }
}

/**
 * Reads what the planner needs to know of an app's tree, resolved inside it.
 *
 * @throws RktError as `resolveUser`.
 */
export function readRootFacts(app: PreparedApp, options: { readonly idCount: number }): RootFacts {
  const rootFd = openSync(app.treeRootfs, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return {
      user: resolveUser(app.app, { rootFd, idCount: options.idCount }),
      hasHosts: binding().statInRoot(rootFd, 'etc/hosts') !== null,
    }
  } finally {
    closeSync(rootFd)
  }
}
