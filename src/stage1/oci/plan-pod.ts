import { join } from 'node:path'
import { quote, RktError } from '../../base/index.ts'
import { type PreparedApp, type PreparedPod, resolveMounts } from '../../pod/index.ts'
import { boundingSet } from '../capabilities.ts'
import type { CgroupFacts } from '../cgroups.ts'
import type { Isolator } from '../../spec/index.ts'
import { planCgroups } from '../ns/cgroup-plan.ts'
import { type Enforceable, podIsolators } from '../ns/enforceable.ts'
import { deviceRules } from '../ns/confinement.ts'
import { providedFiles, rootOf } from '../ns/plan-app.ts'
import { networkEnd, ownNamespaces, type PodPlan, type PodPlanInputs } from '../ns/plan-pod.ts'
import { superviseOperations } from '../supervision.ts'
import { planVolumes } from '../ns/volume-plan.ts'
import { namespaceFlag } from '../plan/flags.ts'
import type { Operation } from '../plan/operations.ts'
import { profileForIsolators } from '../seccomp-isolator.ts'
import { ociIsolators } from './isolators.ts'
import { ociConfig } from './config.ts'
import { ociStreams } from './streams.ts'
import { findRootPlace, findRuntime, type OciRuntime } from './find-runtime.ts'
import { appID, bundleOf, runtimeCommand, runtimeEnvironment } from './runtime-command.ts'

/** Plans a pod whose apps are made by an OCI runtime: the launcher holds the pod's namespaces, and starts the runtime once per app. */
export function planPod(inputs: PodPlanInputs): PodPlan {
  const { pod, runtime, host } = inputs
  if (pod.isolation.kind !== 'oci') throw new Error(`a pod with isolation ${pod.isolation.kind}`)
  const oci = findRuntime(pod.isolation.runtime)
  if (oci.kind === 'runsc' && pod.apps.length > 1) {
    throw new RktError('unsupported', `cannot run pod "${pod.uuid}": runsc isolates one app from another, and takes 1 per pod; expected 1, got ${pod.apps.length}`)
  }
  const own = ownNamespaces(inputs)
  const ofPod = podIsolators(pod.manifest.isolators, { host, own })
  const enforced = new Map(pod.apps.map((app): [string, Enforceable] => [app.name, ociIsolators(app, { host, own, kind: oci.kind })]))
  const cgroups = planCgroups(host.cgroups, {
    uuid: pod.uuid,
    apps: pod.apps.map(({ name }) => ({ name, isolators: enforced.get(name)?.isolators ?? [] })),
    isolators: ofPod.isolators,
    disks: host.disks,
    ...(pod.idRange === undefined && !runtime.insecure.paths ? { devices: deviceRules() } : {}),
  })
  const warnings = [ofPod, ...enforced.values()].flatMap((one) => one.warnings)
  const files = new Map<string, string>()
  const apps = pod.apps.map((app) => {
    const planned = planApp(inputs, { app, oci, isolators: enforced.get(app.name)?.isolators ?? [] })
    warnings.push(...planned.warnings)
    files.set(join('oci', app.name, 'config.json'), `${JSON.stringify(planned.config, undefined, 2)}\n`)
    return [...planned.operations, ...cgroups.app(app.name)]
  })
  return {
    plan: {
      version: 1,
      pod: [
        { op: 'uuid', uuid: pod.uuid },
        { op: 'namespaces', flags: namespaceFlag.mount },
        ...sandbox(inputs, oci),
        ...superviseOperations({ pod, host }),
        ...cgroups.pod,
      ],
      apps,
      end: [
        ...networkEnd(inputs),
        ...(['user', 'net', 'pid', 'ipc', 'uts'] as const).map((pin): Operation => ({ op: 'end-unmount', path: `ns/${pin}` })),
        ...cgroups.end,
        ...(oci.kind === 'runc' ? runtimeGroups(host.cgroups, pod) : []),
        ...(runtime.removeAtEnd ? [{ op: 'end-remove-pod', garbage: inputs.garbagePath } as const] : []),
      ],
    },
    warnings,
    subcgroup: cgroups.subcgroup,
    cgroups: host.cgroups,
    usesDefaultProfile: false,
    files,
  }
}

/** The namespaces that the apps of the pod join. */
function sandbox({ pod, runtime }: PodPlanInputs, oci: OciRuntime): Operation[] {
  const pinned = runtime.net.kind === 'networks'
  const mapped = pod.idRange !== undefined
  const shared = oci.kind === 'runsc' ? 0 : namespaceFlag.uts | (runtime.ipc === 'parent' ? 0 : namespaceFlag.ipc)
  const made = (runtime.net.kind === 'none' ? namespaceFlag.network : 0) | (mapped && !pinned ? namespaceFlag.user : 0)
  return [
    ...(pinned && mapped ? [{ op: 'join', flag: namespaceFlag.user, pin: 'ns/user' } as const] : []),
    ...(pinned ? [{ op: 'join', flag: namespaceFlag.network, pin: 'ns/net' } as const] : []),
    {
      op: 'sandbox',
      flags: (namespaceFlag.mount | namespaceFlag.pid | shared | made) >>> 0,
      shift: pod.idRange?.shift ?? 0,
      count: pod.idRange?.count ?? 0,
      hostname: runtime.hostname,
    },
  ]
}

/** A runtime that insists on groups of its own makes one in every hierarchy. */
function runtimeGroups({ hierarchies }: CgroupFacts, { uuid }: PreparedPod): Operation[] {
  return hierarchies.map(({ mountPoint }): Operation => ({ op: 'end-cgroup', path: join(mountPoint, `rkt-${uuid}`) }))
}

/** KERNEL: crun refuses a host with version 1 groups whose version 2 hierarchy has controllers too; may go with version 1. */
function hiddenHierarchy(cgroups: CgroupFacts): Operation[] {
  const unified = cgroups.hierarchies.find(({ controllers }) => controllers.length === 0)
  if (cgroups.kind === 'v2' || unified === undefined || cgroups.controllers.length === 0) return []
  return [{ op: 'unmount', path: unified.mountPoint }]
}

interface OciApp {
  readonly app: PreparedApp
  readonly oci: OciRuntime
  readonly isolators: readonly Isolator[]
}

interface PlannedApp {
  readonly operations: readonly Operation[]
  readonly config: unknown
  readonly warnings: readonly string[]
}

function planApp(inputs: PodPlanInputs, { app, oci, isolators }: OciApp): PlannedApp {
  const { pod, runtime, host } = inputs
  const root = inputs.roots.get(app.name)
  if (root === undefined) throw new Error(`no facts about the root of app ${app.name}`)
  if (app.app.exec.length === 0) throw new RktError('invalid-manifest', `image ${quote(app.imageName)} has an empty "exec" (try --exec=BINARY)`)
  if (app.app.eventHandlers.length > 0) {
    throw new RktError('unsupported', `cannot run app "${app.name}" with isolation "oci": OCI runtimes have no event handlers that run like the app`, { hint: 'use --isolation=ns' })
  }
  const volumes = planVolumes(resolveMounts(app, pod.manifest.volumes).mounts, {
    podDir: pod.dir,
    mapped: pod.idRange !== undefined,
    mounts: host.mounts,
    unmappable: host.unmappable,
    resolveSource: (path) => host.sources.get(path) ?? { path },
  })
  const targets = volumes.operations.flatMap((operation) => (operation.op === 'volume' ? [operation.target] : []))
  const bundle = bundleOf(pod.dir, app.name)
  const streams = ociStreams({ pod, app, runtime, host })
  const terminal = runtime.interactive && host.terminal
  const profile = runtime.insecure.seccomp ? undefined : profileForIsolators(isolators)
  const rootPlace = findRootPlace([pod.dir, oci.path])
  const config = ociConfig({
    rootPlace,
    pod,
    app,
    runtime,
    root,
    isolators,
    kind: oci.kind,
    ...(profile === undefined ? {} : { seccomp: profile }),
    ...(terminal ? { term: host.term } : {}),
    ...(oci.kind === 'runc' ? { cgroupsPath: `/rkt-${pod.uuid}/oci-${app.name}` } : {}),
  })
  return {
    config,
    warnings: volumes.warnings,
    operations: [
      { op: 'app', name: app.name },
      { op: 'share', flags: namespaceFlag.cgroup | namespaceFlag.pid },
      ...(oci.kind === 'crun' ? hiddenHierarchy(host.cgroups) : []),
      { op: 'root-at', path: rootPlace, owner: pod.idRange?.shift ?? 0 },
      rootOf(pod, app),
      ...(['proc', 'sys', 'dev'] as const).map((path): Operation => ({ op: 'mkdir', path, mode: 0o755 })),
      { op: 'mkdir', path: 'tmp', mode: 0o1777 },
      ...volumes.operations,
      ...providedFiles({ pod, app, runtime, host, root, networkDns: inputs.networkDns }, targets),
      { op: 'user', uid: 0, gid: 0, groups: [0] },
      { op: 'capabilities', bounding: boundingSet([], { unrestricted: true }) },
      { op: 'working-directory', path: '/' },
      { op: 'environment', variables: runtimeEnvironment },
      { op: 'exec', argv: [...runtimeCommand(oci, { podDir: pod.dir, net: runtime.net.kind }), 'run', '--bundle', bundle, appID(pod.uuid, app.name)] },
      ...streams,
    ],
  }
}
