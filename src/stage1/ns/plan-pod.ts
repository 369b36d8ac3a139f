import { escapeText, quote, RktError } from '../../base/index.ts'
import type { EndExec, UserNetwork } from '../../network/index.ts'
import { isMutable, maxApps, type PreparedPod, resolveMounts } from '../../pod/index.ts'
import type { Isolator } from '../../spec/index.ts'
import type { CgroupFacts } from '../cgroups.ts'
import type { HostFacts, RootFacts } from '../facts.ts'
import { helperReady, namespaceFlag } from '../plan/flags.ts'
import type { LaunchPlan, Operation } from '../plan/operations.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import { superviseOperations } from '../supervision.ts'
import { asksForNamespaces } from '../seccomp-isolator.ts'
import { defaultProfile } from '../security-modules.ts'
import { planCgroups } from './cgroup-plan.ts'
import { endExec } from '../plan/end-exec.ts'
import { deviceRules } from './confinement.ts'
import { type Enforceable, enforceable, podIsolators } from './enforceable.ts'
import { planApp } from './plan-app.ts'
import { nestedNamespaces, type OwnNamespaces, planSysctls } from './sysctl-plan.ts'

export interface PodPlanInputs {
  readonly pod: PreparedPod
  readonly runtime: RuntimeOptions
  readonly host: HostFacts
  /** By app name. */
  readonly roots: ReadonlyMap<string, RootFacts>
  /** BPF programs by app name. */
  readonly filters: ReadonlyMap<string, Uint8Array>
  /** What disconnects the pod from its networks. */
  readonly networkEnd: readonly EndExec[]
  /** The program that connects the pod of an ordinary user. */
  readonly networkHelper?: Pick<UserNetwork, 'argv' | 'ready'>
  /** Whether a network gave the pod name servers. */
  readonly networkDns: boolean
  /** Where the launcher moves the pod directory before it removes it. */
  readonly garbagePath: string
}

export interface PodPlan {
  readonly plan: LaunchPlan
  /** What the user should know, one line each. */
  readonly warnings: readonly string[]
  readonly subcgroup: string
  readonly cgroups: CgroupFacts
  /** Whether an app gets the AppArmor profile that this program brings. */
  readonly usesDefaultProfile: boolean
  /** Files that the plan names, by their path in the pod directory. */
  readonly files?: ReadonlyMap<string, string | Uint8Array>
}

/** Plans a pod for the flavour `ns`: Linux namespaces with the default confinement. */
export function planPod(inputs: PodPlanInputs): PodPlan {
  const { pod, runtime, host } = inputs
  if (pod.apps.length > maxApps) throw new RktError('limit-exceeded', `cannot run pod "${pod.uuid}": ${pod.apps.length} apps; expected at most ${maxApps}`)
  const own = ownNamespaces(inputs)
  const ofPod = podIsolators(pod.manifest.isolators, { host, own })
  const enforced = new Map(pod.apps.map(({ name, app }): [string, Enforceable] => [name, enforceable(app.isolators, { host, own, who: `app ${quote(name)}` })]))
  const isolatorsOf = (name: string): readonly Isolator[] => enforced.get(name)?.isolators ?? []
  const devices = volumeDeviceRules(pod, host)
  const cgroups = planCgroups(host.cgroups, {
    uuid: pod.uuid,
    apps: pod.apps.map(({ name }) => ({ name, isolators: isolatorsOf(name) })),
    isolators: ofPod.isolators,
    disks: host.disks,
    everyController: isMutable(pod.manifest),
    // In a user namespace of its own an app opens no device but those that volumes bring, for which the policy knows reading from writing.
    ...((pod.idRange === undefined || (devices.length > 0 && !host.rootless)) && !runtime.insecure.paths ? { devices: [...deviceRules(), ...devices] } : {}),
  })
  const planned = pod.apps.map((app) => {
    const root = inputs.roots.get(app.name)
    if (root === undefined) throw new Error(`no facts about the root of app ${app.name}`)
    const seccomp = inputs.filters.get(app.name)
    return planApp({
      pod,
      app,
      runtime,
      host,
      root,
      isolators: isolatorsOf(app.name),
      cgroupView: cgroups.view,
      cgroups: cgroups.app(app.name),
      networkDns: inputs.networkDns,
      ...(seccomp === undefined ? {} : { seccomp }),
    })
  })
  return {
    plan: {
      version: 1,
      pod: [...podOperations(inputs), ...namespaceSettings(inputs, pod.apps.map(({ name }) => isolatorsOf(name))), ...cgroups.pod],
      apps: planned.map(({ operations }) => operations),
      end: [...networkEnd(inputs), ...cgroups.end, ...(runtime.removeAtEnd ? [{ op: 'end-remove-pod', garbage: inputs.garbagePath } as const] : [])],
    },
    warnings: [...[ofPod, ...enforced.values()].flatMap(({ warnings }) => warnings.map((line) => escapeText(line))), ...planned.flatMap(({ warnings }) => warnings)],
    subcgroup: cgroups.subcgroup,
    cgroups: host.cgroups,
    usesDefaultProfile: planned.some(({ operations }) => operations.some((operation) => operation.op === 'security-label' && operation.value.endsWith(` ${defaultProfile}`))),
  }
}

/** Which namespaces the pod does not share with the host. */
export function ownNamespaces({ pod, runtime }: PodPlanInputs): OwnNamespaces {
  return { network: runtime.net.kind !== 'host', ipc: runtime.ipc !== 'parent', user: pod.idRange !== undefined }
}

/** Settings that apps ask for; user namespaces inside the pod open much of the kernel, so there are none where no app asks for them. */
function namespaceSettings(inputs: PodPlanInputs, isolators: readonly (readonly Isolator[])[]): Operation[] {
  const own = ownNamespaces(inputs)
  const settings = planSysctls(isolators.flatMap((list) => list.flatMap((isolator) => (isolator.kind === 'sysctl' ? [isolator] : []))))
  const asked = settings.some((operation) => operation.op === 'sysctl' && operation.path === nestedNamespaces)
  const unlimited = asked || !own.user || inputs.runtime.insecure.seccomp || isolators.some(asksForNamespaces)
  return [...(unlimited ? [] : [{ op: 'sysctl', path: nestedNamespaces, value: '0' } as const]), ...settings]
}

/** Devices that volumes bring: readable, and writable where the volume is. */
function volumeDeviceRules(pod: PreparedPod, host: HostFacts): string[] {
  const mounts = pod.apps.flatMap((app) => resolveMounts(app, pod.manifest.volumes).mounts)
  const rules = mounts.flatMap(({ source, readOnly }) => {
    const device = source.kind === 'host' ? host.sources.get(source.path)?.device : undefined
    return device === undefined ? [] : [`${device.type} ${device.major}:${device.minor} ${readOnly ? 'r' : 'rw'}`]
  })
  return [...new Set(rules)]
}

/** Namespaces that were pinned for CNI; they are joined instead of made. */
function pins(inputs: PodPlanInputs): readonly (keyof typeof pinFlags)[] {
  if (inputs.runtime.net.kind !== 'networks' || inputs.networkHelper !== undefined) return []
  return inputs.pod.idRange === undefined ? ['net'] : ['user', 'net']
}

const pinFlags = { user: namespaceFlag.user, net: namespaceFlag.network } as const

function podOperations(inputs: PodPlanInputs): Operation[] {
  const { pod, runtime } = inputs
  const pinned = pins(inputs)
  const own =
    namespaceFlag.mount |
    namespaceFlag.pid |
    namespaceFlag.uts |
    (runtime.ipc === 'parent' ? 0 : namespaceFlag.ipc) |
    (runtime.net.kind === 'host' ? 0 : namespaceFlag.network) |
    (pod.idRange === undefined ? 0 : namespaceFlag.user)
  const joined = pinned.reduce((flags, pin) => flags | pinFlags[pin], 0)
  return [
    { op: 'uuid', uuid: pod.uuid },
    ...(pod.idRange === undefined ? [] : [{ op: 'idmap', shift: pod.idRange.shift, count: pod.idRange.count } as const]),
    { op: 'namespaces', flags: (own & ~joined) >>> 0 },
    ...pinned.map((pin): Operation => ({ op: 'join', flag: pinFlags[pin], pin: `ns/${pin}` })),
    ...(inputs.networkHelper === undefined ? [] : [{ op: 'network-helper', argv: inputs.networkHelper.argv, ready: helperReady[inputs.networkHelper.ready] } as const]),
    { op: 'hostname', hostname: runtime.hostname },
    ...superviseOperations(inputs),
  ]
}

/** What disconnects the pod and lets its pinned namespaces go. */
export function networkEnd(inputs: PodPlanInputs): Operation[] {
  return [...inputs.networkEnd.map(endExec), ...pins(inputs).map((pin): Operation => ({ op: 'end-unmount', path: `ns/${pin}` }))]
}
