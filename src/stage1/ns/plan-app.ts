import { escapeText, quote, RktError } from '../../base/index.ts'
import { type PreparedApp, type PreparedPod, resolveMounts } from '../../pod/index.ts'
import type { Isolator } from '../../spec/index.ts'
import { planStreams } from '../app-streams.ts'
import { appEnvironment } from '../environment.ts'
import type { HostFacts, RootFacts } from '../facts.ts'
import { handlerWhen, sysfsFlag, volumeFlag } from '../plan/flags.ts'
import { stopSignalOf, workingDirectoryOf } from '../image-habits.ts'
import type { Operation } from '../plan/operations.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import { planConfinement } from './app-confinement.ts'
import { deviceDirectory, protectedPaths } from './confinement.ts'
import { planVolumes } from './volume-plan.ts'

export interface AppPlanInputs {
  readonly pod: PreparedPod
  readonly app: PreparedApp
  readonly runtime: RuntimeOptions
  readonly host: HostFacts
  readonly root: RootFacts
  /** Those of the app that are to be enforced. */
  readonly isolators: readonly Isolator[]
  /** BPF program; left out: unfiltered. */
  readonly seccomp?: Uint8Array
  readonly cgroupView: readonly Operation[]
  readonly cgroups: readonly Operation[]
  /** Whether a network gave the pod name servers. */
  readonly networkDns: boolean
}

export interface AppPlan {
  readonly operations: readonly Operation[]
  readonly warnings: readonly string[]
}

/** Files that the runtime provides, relative to the pod directory; written by `writePodFiles`. */
export const podFiles = {
  hostname: 'files/hostname',
  hosts: 'files/hosts',
  resolvConf: 'files/resolv.conf',
} as const

/** Flags of a mount that holds data alone. */
const unprivileged = volumeFlag.noDevices | volumeFlag.noSetuid | volumeFlag.noExec

/** Plans one app: its root, its mounts, its confinement, its program. */
export function planApp(inputs: AppPlanInputs): AppPlan {
  const { pod, app, root } = inputs
  if (app.app.exec.length === 0) {
    throw new RktError('invalid-manifest', `image ${quote(app.imageName)} has an empty "exec" (try --exec=BINARY)`)
  }
  const { mounts } = resolveMounts(app, pod.manifest.volumes)
  const volumes = planVolumes(mounts, {
    podDir: pod.dir,
    mapped: pod.idRange !== undefined && !inputs.host.rootless,
    rootless: inputs.host.rootless,
    mounts: inputs.host.mounts,
    unmappable: inputs.host.unmappable,
    resolveSource: (path) => inputs.host.sources.get(path) ?? { path },
  })
  const targets = volumes.operations.flatMap((operation) => (operation.op === 'volume' ? [operation.target] : []))
  const streams = planStreams(inputs)
  return {
    operations: [
      { op: 'app', name: app.name },
      rootOf(pod, app),
      ...systemMounts(inputs, targets),
      { op: 'mkdir', path: 'tmp', mode: 0o1777 },
      ...volumes.operations,
      ...providedFiles(inputs, targets),
      ...(targets.includes('/etc') ? [] : [{ op: 'symlink', path: 'etc/mtab', target: '../proc/self/mounts' } as const]),
      ...workingDirectoryOf(app),
      ...(app.runtime.readOnlyRootFS ? [{ op: 'root-read-only' } as const] : []),
      ...inputs.cgroups,
      ...app.app.eventHandlers.map(({ name, exec }): Operation => ({
        op: 'handler',
        when: name === 'pre-start' ? handlerWhen.preStart : handlerWhen.postStop,
        argv: exec,
      })),
      { op: 'user', ...root.user },
      ...planConfinement({ ...inputs, volumes: volumes.operations }),
      { op: 'working-directory', path: app.app.workingDirectory === '' ? '/' : app.app.workingDirectory },
      { op: 'environment', variables: appEnvironment(app.app, { appName: app.name, metadataUrl: inputs.runtime.metadataUrl, ...streams.environment }) },
      { op: 'exec', argv: app.app.exec },
      ...stopSignalOf(app),
      ...streams.operations,
    ],
    warnings: volumes.warnings.map((line) => escapeText(line)),
  }
}

/** The root of an app: an overlay over its tree, or its own copy. */
export function rootOf(pod: PreparedPod, app: PreparedApp): Operation {
  if (!pod.overlay) return { op: 'root-bind', path: app.roots[0] }
  // The two directories lie below one, which is mounted once: overlay wants them on the same mount.
  return { op: 'root-overlay', layers: app.roots, base: `overlay/${app.treeID}`, upper: `upper/${app.name}`, work: `work/${app.name}` }
}

function systemMounts({ pod, runtime, host, cgroupView }: AppPlanInputs, targets: readonly string[]): Operation[] {
  const ownSys = !targets.some((target) => target === '/sys' || target.startsWith('/sys/'))
  const sys: Operation[] = !ownSys
    ? []
    : runtime.net.kind === 'host'
      ? [{ op: 'volume', source: '/sys', target: 'sys', flags: (runtime.insecure.paths ? 0 : volumeFlag.readOnly) | unprivileged | (host.rootless ? volumeFlag.recursive : 0) }]
      : [{ op: 'sysfs', target: 'sys', flags: runtime.insecure.paths ? 0 : sysfsFlag.readOnly }]
  const masks = runtime.insecure.paths ? [] : protectedPaths().filter((operation) => ownSys || !('path' in operation && operation.path.startsWith('sys/')))
  const ownsIpc = runtime.ipc !== 'parent' || pod.idRange === undefined
  return [{ op: 'proc', target: 'proc' }, ...sys, ...(ownSys ? cgroupView : []), ...deviceDirectory({ ownsIpc, canMakeNodes: !host.rootless }), ...masks]
}

/** What decides about the files that the runtime provides. */
export type ProvidedFilesInputs = Pick<AppPlanInputs, 'pod' | 'app' | 'runtime' | 'root' | 'networkDns'> & { readonly host: Pick<HostFacts, 'rootless'> }

/** `/etc/hosts` and its like: a volume on the place or above it wins, and the image's own file where nothing better is known. */
export function providedFiles({ pod, app, runtime, host, root, networkDns }: ProvidedFilesInputs, targets: readonly string[]): Operation[] {
  const covered = (path: string): boolean => targets.some((target) => path === target || path.startsWith(`${target}/`))
  const file = (source: string, target: string): Operation => {
    const readOnly = app.runtime.readOnlyRootFS ? volumeFlag.readOnly : 0
    const flags = readOnly | unprivileged | (pod.idRange === undefined || host.rootless ? 0 : volumeFlag.idmap)
    return { op: 'volume', source: `${pod.dir}/${source}`, target, flags }
  }
  const wantsHosts = runtime.hosts.kind !== 'default' || (!root.hasHosts && !covered('/etc/hosts'))
  const givenDns = runtime.dns.kind === 'given' || runtime.dns.kind === 'host'
  return [
    ...(covered('/etc/hostname') ? [] : [file(podFiles.hostname, '/etc/hostname')]),
    ...(wantsHosts ? [file(podFiles.hosts, '/etc/hosts')] : []),
    ...(givenDns || (networkDns && runtime.dns.kind === 'default') ? [file(podFiles.resolvConf, '/etc/resolv.conf')] : []),
  ]
}
