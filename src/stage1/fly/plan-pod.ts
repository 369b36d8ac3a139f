import { quote, RktError } from '../../base/index.ts'
import { type PreparedApp, type ResolvedMount, resolveMounts } from '../../pod/index.ts'
import { boundingSet } from '../capabilities.ts'
import { planStreams } from '../app-streams.ts'
import { appEnvironment } from '../environment.ts'
import type { RootFacts } from '../facts.ts'
import { planCgroups } from '../ns/cgroup-plan.ts'
import { providedFiles, rootOf } from '../ns/plan-app.ts'
import { type PodPlan, type PodPlanInputs } from '../ns/plan-pod.ts'
import { superviseOperations } from '../supervision.ts'
import { planVolumes } from '../ns/volume-plan.ts'
import { endExec } from '../plan/end-exec.ts'
import { handlerWhen, namespaceFlag, volumeFlag } from '../plan/flags.ts'
import { stopSignalOf, workingDirectoryOf } from '../image-habits.ts'
import type { Operation } from '../plan/operations.ts'

/** What the app sees of the host's own file systems. */
const hostTrees = ['dev', 'proc', 'sys'] as const

/** Plans a pod for the flavour `fly`: a root directory and a mount namespace of its own, everything else is the host's. */
export function planPod(inputs: PodPlanInputs): PodPlan {
  const { pod, runtime, host } = inputs
  const [app, ...others] = pod.apps
  if (app === undefined || others.length > 0) throw new RktError('unsupported', 'fly only supports 1 application per Pod for now')
  const root = inputs.roots.get(app.name)
  if (root === undefined) throw new Error(`no facts about the root of app ${app.name}`)
  const cgroups = planCgroups(host.cgroups, { uuid: pod.uuid, apps: [], isolators: [], disks: [] })
  const planned = planApp(inputs, { app, root })
  return {
    plan: {
      version: 1,
      pod: [
        { op: 'uuid', uuid: pod.uuid },
        { op: 'namespaces', flags: namespaceFlag.mount },
        ...superviseOperations({ pod, host }),
        ...cgroups.pod,
      ],
      // The group is there to find at the end what the app has left behind; it limits nothing.
      apps: [[...planned.operations, ...cgroups.app(app.name).filter(({ op }) => op === 'app-cgroup')]],
      end: [...inputs.networkEnd.map(endExec), ...cgroups.end, ...(runtime.removeAtEnd ? [{ op: 'end-remove-pod', garbage: inputs.garbagePath } as const] : [])],
    },
    warnings: [
      ...planned.warnings,
      `warning: isolation "fly" keeps nothing apart: app ${quote(app.name)} has the processes, the network, the devices and the user ids of the host`,
    ],
    subcgroup: cgroups.subcgroup,
    cgroups: host.cgroups,
    usesDefaultProfile: false,
  }
}

interface FlyApp {
  readonly app: PreparedApp
  readonly root: RootFacts
}

function planApp(inputs: PodPlanInputs, { app, root }: FlyApp): { readonly operations: readonly Operation[]; readonly warnings: readonly string[] } {
  const { pod, runtime, host } = inputs
  if (app.app.exec.length === 0) {
    throw new RktError('invalid-manifest', `image ${quote(app.imageName)} has an empty "exec" (try --exec=BINARY)`)
  }
  const volumes = planVolumes(hostMounts(inputs, app), {
    podDir: pod.dir,
    mapped: false,
    mounts: host.mounts,
    unmappable: host.unmappable,
    resolveSource: (path) => host.sources.get(path) ?? { path },
  })
  const targets = volumes.operations.flatMap((operation) => (operation.op === 'volume' ? [operation.target] : []))
  const files = providedFiles({ pod, app, host, runtime: { ...runtime, dns: runtime.dns.kind === 'default' ? { kind: 'host' } : runtime.dns }, root, networkDns: false }, targets)
  const streams = planStreams({ pod, app, runtime, host })
  return {
    operations: [
      { op: 'app', name: app.name },
      { op: 'share', flags: namespaceFlag.cgroup | namespaceFlag.pid },
      rootOf(pod, app),
      ...hostTrees.map((tree): Operation => ({ op: 'volume', source: `/${tree}`, target: tree, flags: volumeFlag.recursive })),
      { op: 'tmpfs', target: 'tmp', options: 'mode=1777', flags: 0 },
      ...volumes.operations.map(withDevices),
      ...files,
      ...workingDirectoryOf(app),
      ...(app.runtime.readOnlyRootFS ? [{ op: 'root-read-only' } as const] : []),
      ...app.app.eventHandlers.map(({ name, exec }): Operation => ({
        op: 'handler',
        when: name === 'pre-start' ? handlerWhen.preStart : handlerWhen.postStop,
        argv: exec,
      })),
      { op: 'user', ...root.user },
      { op: 'capabilities', bounding: boundingSet([], { unrestricted: true }) },
      { op: 'working-directory', path: app.app.workingDirectory === '' ? '/' : app.app.workingDirectory },
      { op: 'environment', variables: appEnvironment(app.app, { appName: app.name, metadataUrl: runtime.metadataUrl, ...streams.environment }) },
      { op: 'exec', argv: app.app.exec },
      ...stopSignalOf(app),
      ...streams.operations,
    ],
    warnings: volumes.warnings,
  }
}

/** As in the original: volumes are directories of the host, and what is mounted below them comes along only when that is asked for. */
function hostMounts({ pod }: PodPlanInputs, app: PreparedApp): ResolvedMount[] {
  const given = new Set<string>()
  return resolveMounts(app, pod.manifest.volumes).mounts.map((mount) => {
    if (mount.source.kind !== 'host') {
      const name = app.app.mountPoints.find(({ path }) => path === mount.target)?.name ?? mount.volume
      throw new RktError('unsupported', `missing volume for mountpoint "${name}"`, { hint: 'give the mount point a volume of kind=host' })
    }
    const key = `${mount.volume}\0${mount.target}`
    if (given.has(key)) throw new RktError('invalid-manifest', `duplicate mount given: "${mount.volume}"`)
    given.add(key)
    return { ...mount, source: { ...mount.source, recursive: mount.source.recursive ?? false } }
  })
}

/** Agents of the host may open the devices that a volume brings. */
function withDevices(operation: Operation): Operation {
  return operation.op === 'volume' ? { ...operation, flags: operation.flags & ~volumeFlag.noDevices } : operation
}
