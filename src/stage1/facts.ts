import type { AppUser } from './user.ts'
import type { CgroupFacts } from './cgroups.ts'
import type { MountEntry } from './mountinfo.ts'
import type { PassedSocket } from './passed-sockets.ts'
import type { SecurityModules } from './security-modules.ts'

/** A device node of the host that a volume names. */
export interface DeviceNode {
  readonly type: 'b' | 'c'
  readonly major: number
  readonly minor: number
}

export interface VolumeSource {
  /** Links followed once. */
  readonly path: string
  readonly device?: DeviceNode
}

/** What a planner knows of the host; read once, so that planning is a pure function. */
export interface HostFacts {
  readonly cgroups: CgroupFacts
  readonly security: SecurityModules
  /** `MAJOR:MINOR` of the disks; read only when an isolator limits them. */
  readonly disks: readonly string[]
  /** An ordinary user's rkt: no owners can be mapped, no devices made, and mounts of the host come with those below them or not at all. */
  readonly rootless: boolean
  readonly mounts: readonly MountEntry[]
  /** Real paths of sources, and of mounts below them, whose owners the kernel cannot map; empty without a user namespace. */
  readonly unmappable: ReadonlySet<string>
  /** Real path and kind of each host path that the pod's volumes name. */
  readonly sources: ReadonlyMap<string, VolumeSource>
  /** Whether standard input is a terminal. */
  readonly terminal: boolean
  /** The caller's TERM. */
  readonly term: string
  /** What a supervisor passed to the caller. */
  readonly sockets: readonly PassedSocket[]
  /** NOTIFY_SOCKET of the caller's supervisor. */
  readonly notifySocket?: string
}

/** What a planner knows of the inside of an app's tree. */
export interface RootFacts {
  readonly user: AppUser
  /** Whether the tree has an `/etc/hosts` of its own. */
  readonly hasHosts: boolean
}
