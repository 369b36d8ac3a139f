import { lstatSync } from 'node:fs'
import { unreachable, RktError } from '../../base/index.ts'
import { type PreparedApp, resolveMounts } from '../../pod/index.ts'
import { namedRoot } from '../../store/index.ts'
import { planPod, type PodPlanInputs } from '../ns/plan-pod.ts'
import { encodePlan } from '../plan/encode.ts'
import type { Operation } from '../plan/operations.ts'
import { podFileTexts } from '../pod-files.ts'
import type { TreeDisk } from './disk.ts'

/** Where the guest's launcher keeps the pod. */
const guestPod = '/pod'

/** A disk at its place in the guest. */
export interface GuestDisk extends TreeDisk {
  /** Directory of the tree on the host. */
  readonly rootfs: string
  readonly device: string
  readonly mountPoint: string
}

export interface GuestPlan {
  readonly bytes: Buffer
  readonly warnings: readonly string[]
}

/**
 * The plan that the launcher in the guest runs: that of a pod in namespaces, on disks instead of trees and with the ids of the guest.
 *
 * @throws RktError `unsupported` for what cannot be brought into a machine.
 */
export function planGuest(inputs: PodPlanInputs, disks: readonly GuestDisk[]): GuestPlan {
  const { pod, runtime } = inputs
  const { idRange: _, ...plain } = pod
  const apps = pod.apps.map((app): PreparedApp => ({ ...app, roots: mountPoints(app, disks) }))
  const { plan, warnings } = planPod({
    ...inputs,
    pod: { ...plain, dir: guestPod, apps, overlay: true },
    runtime: { ...runtime, interactive: false, removeAtEnd: false, net: { kind: 'none' } },
    host: {
      ...inputs.host,
      cgroups: { kind: 'v2', hierarchies: [{ controllers: [], mountPoint: '/sys/fs/cgroup', ownGroup: '/' }], controllers: ['cpu', 'cpuset', 'io', 'memory', 'pids'], delegated: [], available: [], ownsGroup: false },
      mounts: [],
      unmappable: new Set(),
      sockets: [],
    },
    networkEnd: [],
  })
  const prepared: Operation[] = [
    ...disks.map(({ device, mountPoint, blocks, root, salt }): Operation => ({ op: 'disk', device, path: mountPoint, blocks, root, salt })),
    ...directories(inputs),
    ...Object.entries(podFileTexts({ runtime })).map(([path, text]): Operation => ({ op: 'guest-file', path: `${guestPod}/${path}`, content: Buffer.from(text) })),
  ]
  return {
    bytes: encodePlan({
      version: 1,
      pod: [...plan.pod.filter(({ op }) => op !== 'prefix-output'), ...prepared],
      apps: plan.apps.map((operations, index) => guestApp(operations, pod.apps[index], inputs)),
      end: [],
    }),
    warnings,
  }
}

function mountPoints(app: PreparedApp, disks: readonly GuestDisk[]): [string, ...string[]] {
  const [first, ...rest] = app.roots.map((root) => {
    const disk = disks.find(({ rootfs }) => rootfs === root)
    if (disk === undefined) throw new Error(`no disk for ${root}`)
    return disk.mountPoint
  })
  if (first === undefined) throw new Error('an app without a root')
  return [first, ...rest]
}

/** What the launcher finds in the pod directory of a host, and must be made in that of a guest. */
function directories({ pod }: PodPlanInputs): Operation[] {
  const made = new Map<string, number>([[`${guestPod}/files`, 0o755]])
  for (const app of pod.apps) {
    const base = `${guestPod}/overlay/${app.treeID}`
    for (const path of [`${guestPod}/overlay`, base, `${base}/upper`, `${base}/work`, `${base}/work/${app.name}`]) made.set(path, 0o700)
    made.set(`${base}/upper/${app.name}`, lstatSync(namedRoot(app.roots)).mode & 0o7777)
    for (const { source, volume } of resolveMounts(app, pod.manifest.volumes).mounts) {
      switch (source.kind) {
        case 'host':
          throw new RktError('unsupported', `cannot bring volume "${volume}" into a virtual machine: this version has no file sharing`, { hint: 'use --isolation=ns' })
        case 'empty':
          made.set(`${guestPod}/sharedVolumes`, 0o700)
          made.set(`${guestPod}/${source.path}`, source.owner?.mode ?? 0o755)
          break
        default:
          unreachable(source)
      }
    }
  }
  return [...made].map(([path, mode]): Operation => ({ op: 'guest-directory', path, mode }))
}

/** Logs are kept by the host; what is a terminal or a socket of the host does not reach the guest. */
function guestApp(operations: readonly Operation[], app: PreparedApp | undefined, { runtime }: PodPlanInputs): Operation[] {
  return operations.flatMap((operation): Operation[] => {
    if (operation.op === 'log' || operation.op === 'listen') return []
    if (operation.op !== 'stdio') return [operation]
    if (app === undefined) throw new Error('a plan with more apps than the pod')
    return [runtime.interactive ? { op: 'stdio', stdin: 1, stdout: 1, stderr: 1 } : operation]
  })
}
