import type { PreparedApp, PreparedPod } from '../../pod/index.ts'
import type { Isolator } from '../../spec/index.ts'
import { boundingSet, capabilityNames } from '../capabilities.ts'
import { appEnvironment } from '../environment.ts'
import type { RootFacts } from '../facts.ts'
import { maskedPaths, readOnlyPaths } from '../ns/confinement.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import type { SeccompProfile } from '../seccomp-profile.ts'
import type { RuntimeKind } from './find-runtime.ts'
import { ociSeccomp } from './seccomp.ts'

export interface ConfigInputs {
  /** Where the launcher mounts the root of the app. */
  readonly rootPlace: string
  readonly pod: PreparedPod
  readonly app: PreparedApp
  readonly runtime: RuntimeOptions
  readonly root: RootFacts
  readonly isolators: readonly Isolator[]
  readonly kind: RuntimeKind
  /** Left out: unfiltered. */
  readonly seccomp?: SeccompProfile
  /** The caller's TERM, for an app with a terminal. */
  readonly term?: string
  /** Where a runtime that makes groups of its own puts them. */
  readonly cgroupsPath?: string
}

const plain = ['nosuid', 'noexec', 'nodev']

/**
 * The `config.json` of one app. Volumes and provided files are mounted in its root before the runtime starts.
 *
 * SPEC: OCI runtime specification 1.0.2, config.md and config-linux.md.
 */
export function ociConfig(inputs: ConfigInputs): unknown {
  const { pod, app, runtime, root, kind, isolators } = inputs
  const { idRange } = pod
  const bounding = capabilityNames(boundingSet(isolators, { unrestricted: runtime.insecure.capabilities }))
  // As at an execve of ours: a user that is not root starts without any.
  const held = root.user.uid === 0 ? bounding : []
  const oom = isolators.flatMap((isolator) => (isolator.kind === 'oom-score-adj' ? [isolator.score] : [])).at(-1)
  const paths = runtime.insecure.paths ? {} : { maskedPaths: maskedPaths.map(([path]) => `/${path}`), readonlyPaths: readOnlyPaths.map(([path]) => `/${path}`) }
  const mapping = idRange === undefined ? [] : [{ containerID: 0, hostID: idRange.shift, size: idRange.count }]
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: inputs.term !== undefined,
      user: { uid: root.user.uid, gid: root.user.gid, additionalGids: root.user.groups },
      args: app.app.exec,
      env: appEnvironment(app.app, { appName: app.name, metadataUrl: inputs.runtime.metadataUrl, ...(inputs.term === undefined ? {} : { term: inputs.term }) }),
      cwd: app.app.workingDirectory === '' ? '/' : app.app.workingDirectory,
      capabilities: { bounding, effective: held, permitted: held, inheritable: [], ambient: [] },
      noNewPrivileges: isolators.some((isolator) => isolator.kind === 'no-new-privileges' && isolator.enabled),
      ...(oom === undefined ? {} : { oomScoreAdj: oom }),
    },
    root: { path: inputs.rootPlace, readonly: app.runtime.readOnlyRootFS },
    // gVisor has its own idea of the names of its kernel.
    ...(kind === 'runsc' ? { hostname: runtime.hostname } : {}),
    mounts: systemMounts(kind),
    linux: {
      namespaces: namespaces(inputs),
      ...(mapping.length === 0 ? {} : { uidMappings: mapping, gidMappings: mapping }),
      ...(inputs.cgroupsPath === undefined ? {} : { cgroupsPath: inputs.cgroupsPath, resources: resources(isolators) }),
      ...(inputs.seccomp === undefined ? {} : { seccomp: ociSeccomp(inputs.seccomp, process.arch) }),
      ...paths,
    },
  }
}

function systemMounts(kind: RuntimeKind): unknown[] {
  const mount = (destination: string, type: string, options: readonly string[]): unknown => ({ destination, type, source: type, options })
  return [
    mount('/proc', 'proc', plain),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('/dev/shm', 'tmpfs', [...plain, 'mode=1777', 'size=65536k']),
    ...(kind === 'runsc' ? [] : [mount('/dev/mqueue', 'mqueue', plain)]),
    mount('/sys', 'sysfs', [...plain, 'ro']),
    mount('/sys/fs/cgroup', 'cgroup', [...plain, 'ro']),
  ]
}

/** gVisor makes its own but for the network, of which it takes over the interfaces; the others join those of the pod. */
function namespaces({ pod, runtime, kind }: ConfigInputs): unknown[] {
  const joined = (type: string, pin: string): unknown => ({ type, path: `${pod.dir}/ns/${pin}` })
  const network = runtime.net.kind === 'host' ? [] : [joined('network', 'net')]
  if (kind === 'runsc') return [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, ...network]
  return [
    joined('pid', 'pid'),
    joined('uts', 'uts'),
    ...(runtime.ipc === 'parent' ? [] : [joined('ipc', 'ipc')]),
    ...network,
    ...(pod.idRange === undefined ? [] : [joined('user', 'user')]),
    { type: 'mount' },
    { type: 'cgroup' },
  ]
}

function resources(isolators: readonly Isolator[]): unknown {
  const memory = isolators.flatMap((isolator) => (isolator.kind === 'memory' && isolator.limitBytes !== undefined ? [isolator.limitBytes] : [])).at(-1)
  const millis = isolators.flatMap((isolator) => (isolator.kind === 'cpu' && isolator.limitMillis !== undefined ? [isolator.limitMillis] : [])).at(-1)
  const shares = isolators.flatMap((isolator) => (isolator.kind === 'cpu-shares' ? [isolator.shares] : [])).at(-1)
  const cpu = { ...(millis === undefined ? {} : { quota: Math.max(1000, Math.round(millis * 100)), period: 100_000 }), ...(shares === undefined ? {} : { shares }) }
  return {
    devices: [{ allow: false, access: 'rwm' }],
    pids: { limit: 2048 },
    ...(memory === undefined ? {} : { memory: { limit: memory } }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
  }
}
