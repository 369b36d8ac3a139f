import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { libraryFile, RktError } from '../../base/index.ts'
import type { PreparedPod } from '../../pod/index.ts'
import { appFilter } from '../app-filter.ts'
import { planStreams } from '../app-streams.ts'
import { planCgroups } from '../ns/cgroup-plan.ts'
import { deviceDirectory } from '../ns/confinement.ts'
import type { PodPlan, PodPlanInputs } from '../ns/plan-pod.ts'
import { namespaceFlag, stdioMode, volumeFlag } from '../plan/flags.ts'
import type { Operation } from '../plan/operations.ts'
import { stopTimeoutMs } from '../supervision.ts'
import { ensureDisk } from './disk.ts'
import { type GuestDisk, planGuest } from './guest-plan.ts'
import { makeInitrd } from './initrd.ts'
import { findMachine, guestMemoryBytes, machineArguments, type MachineFacts, maxDisks } from './machine.ts'

/** Ids of the monitor inside the pod's range: it is nobody's root. */
const monitorId = 1000

/** What a machine is made of, beside the plan. */
export interface Machine {
  readonly facts: MachineFacts
  readonly disks: readonly GuestDisk[]
  /** The monitor's BPF program. */
  readonly filter: Uint8Array | undefined
}

/**
 * Finds the monitor and the kernel, and makes the disks of the pod's images where they are not made yet.
 *
 * @throws RktError `missing-tool`, `limit-exceeded`, `child-failed`.
 */
export async function gatherMachine(pod: PreparedPod, options: { readonly dataDir: string }): Promise<Machine> {
  const facts = findMachine()
  return { facts, disks: await disksOf(pod), filter: await appFilter([], options) }
}

/** Plans a pod in a virtual machine: the monitor is the one program on the host, confined like an app without any rights. */
export function planPod(inputs: PodPlanInputs, { facts: machine, disks, filter }: Machine): PodPlan {
  const { pod, runtime, host } = inputs
  refuseUnsupported(inputs)
  const guest = planGuest(inputs, disks)
  const cgroups = planCgroups(host.cgroups, { uuid: pod.uuid, apps: [{ name: 'vmm', isolators: [] }], isolators: [], disks: host.disks })
  const limits = pod.apps.flatMap(({ app }) => app.isolators.flatMap((isolator) => (isolator.kind === 'memory' && isolator.limitBytes !== undefined ? [isolator.limitBytes] : [])))
  const millis = pod.apps.flatMap(({ app }) => app.isolators.flatMap((isolator) => (isolator.kind === 'cpu' && isolator.limitMillis !== undefined ? [isolator.limitMillis] : [])))
  const words = machineArguments({
    accelerated: machine.accelerated,
    memoryBytes: guestMemoryBytes(limits),
    cpus: Math.max(1, Math.ceil(millis.reduce((sum, value) => sum + value, 0) / 1000)),
    kernel: '/vm/kernel',
    initrd: '/vm/initrd',
    disks: disks.map((_, index) => `/vm/disk${index}`),
  })
  return {
    plan: {
      version: 1,
      pod: [
        { op: 'uuid', uuid: pod.uuid },
        ...(pod.idRange === undefined ? [] : [{ op: 'idmap', shift: pod.idRange.shift, count: pod.idRange.count } as const]),
        { op: 'namespaces', flags: namespaces(pod.idRange !== undefined) },
        { op: 'hostname', hostname: runtime.hostname },
        { op: 'stop-timeout', ms: stopTimeoutMs },
        { op: 'vm', plan: guest.bytes },
        ...(pod.apps.length > 1 ? [{ op: 'prefix-output' } as const] : []),
        ...cgroups.pod,
      ],
      apps: [
        ...pod.apps.map((app): Operation[] => [{ op: 'app', name: app.name }, ...planStreams({ pod, app, runtime, host }).operations.filter(({ op }) => op === 'stdio' || op === 'log')]),
        [...monitorOperations(inputs, { machine, disks, words }), ...(filter === undefined ? [] : [{ op: 'seccomp', filter } as const]), ...cgroups.app('vmm')],
      ],
      end: [...cgroups.end, ...(runtime.removeAtEnd ? [{ op: 'end-remove-pod', garbage: inputs.garbagePath } as const] : [])],
    },
    warnings: [...guest.warnings, ...(machine.accelerated ? [] : ['warning: this processor cannot run virtual machines (no svm or vmx): the guest is emulated, and slow'])],
    subcgroup: cgroups.subcgroup,
    cgroups: host.cgroups,
    usesDefaultProfile: false,
    files: new Map<string, string | Uint8Array>([
      ['kvm/initrd', makeInitrd(readFileSync(libraryFile('launcher')))],
      ['kvm/root/.keep', ''],
    ]),
  }
}

function refuseUnsupported({ pod, runtime, host }: PodPlanInputs): void {
  if (runtime.net.kind === 'host') throw new RktError('unsupported', 'cannot give a virtual machine the network of the host; expected --net=none')
  if (runtime.net.kind !== 'none') throw new RktError('unsupported', 'cannot connect a virtual machine to a network: this version has no network for it; expected --net=none')
  if (runtime.ipc === 'parent') throw new RktError('unsupported', 'cannot give a virtual machine the IPC namespace of the host; expected --ipc=private')
  if (!pod.overlay) throw new RktError('unsupported', 'cannot use --no-overlay with isolation "kvm": its images are disks')
  if (runtime.interactive && host.terminal) {
    throw new RktError('unsupported', 'cannot connect a terminal to a virtual machine: this version has none for it', { hint: 'give standard input from a file or a pipe' })
  }
}

function namespaces(mapped: boolean): number {
  const own = namespaceFlag.mount | namespaceFlag.pid | namespaceFlag.uts | namespaceFlag.ipc | namespaceFlag.network
  return (own | (mapped ? namespaceFlag.user : 0)) >>> 0
}

async function disksOf(pod: PreparedPod): Promise<GuestDisk[]> {
  const roots = [...new Set(pod.apps.flatMap(({ roots: own }) => own))]
  if (roots.length > maxDisks) {
    throw new RktError('limit-exceeded', `cannot run pod "${pod.uuid}" in a virtual machine: its images have ${roots.length} trees; expected at most ${maxDisks}`)
  }
  const disks: GuestDisk[] = []
  for (const [index, rootfs] of roots.entries()) {
    disks.push({ ...(await ensureDisk(rootfs)), rootfs, device: `/dev/vd${String.fromCharCode(97 + index)}`, mountPoint: `/disks/${index}` })
  }
  return disks
}

interface Monitor {
  readonly machine: MachineFacts
  readonly disks: readonly GuestDisk[]
  readonly words: readonly string[]
}

/** The monitor sees the host's programs, read-only, and the files of its machine. */
function monitorOperations({ pod }: PodPlanInputs, { machine, disks, words }: Monitor): Operation[] {
  const mapped = pod.idRange === undefined ? 0 : volumeFlag.idmap
  const readOnly = volumeFlag.readOnly | volumeFlag.noDevices | volumeFlag.noSetuid
  const file = (source: string, target: string): Operation => ({ op: 'volume', source, target, flags: readOnly | volumeFlag.noExec | mapped })
  return [
    { op: 'app', name: 'vmm' },
    { op: 'vmm' },
    { op: 'root-bind', path: join(pod.dir, 'kvm/root') },
    ...deviceDirectory({ ownsIpc: true, canMakeNodes: true }),
    { op: 'volume', source: '/usr', target: '/usr', flags: readOnly | mapped },
    ...['bin', 'lib', 'lib64'].map((name): Operation => ({ op: 'symlink', path: `./${name}`, target: `usr/${name}` })),
    file(machine.kernel, '/vm/kernel'),
    file(join(pod.dir, 'kvm/initrd'), '/vm/initrd'),
    ...disks.map(({ path }, index) => file(path, `/vm/disk${index}`)),
    { op: 'root-read-only' },
    { op: 'user', uid: monitorId, gid: monitorId, groups: [monitorId] },
    { op: 'capabilities', bounding: 0n },
    { op: 'no-new-privileges' },
    { op: 'working-directory', path: '/' },
    { op: 'environment', variables: [] },
    { op: 'exec', argv: words },
    { op: 'stdio', stdin: stdioMode.null, stdout: stdioMode.null, stderr: stdioMode.pipe },
  ]
}

