import { posix } from 'node:path'
import { quote, RktError, unreachable } from '../../base/index.ts'
import type { ResolvedMount } from '../../pod/index.ts'
import type { VolumeSource } from '../facts.ts'
import { type MountEntry, mountOf, mountsUnder } from '../mountinfo.ts'
import { volumeFlag } from '../plan/flags.ts'
import type { Operation } from '../plan/operations.ts'

export interface VolumePlanOptions {
  readonly podDir: string
  /** Whether owners are mapped to the pod's own range. */
  readonly mapped: boolean
  /** Whether the caller is an ordinary user, whose pods have the ids that he can name. */
  readonly rootless?: boolean
  readonly mounts: readonly MountEntry[]
  /** Paths of sources and of mounts whose owners the kernel cannot map. */
  readonly unmappable: ReadonlySet<string>
  /** Real path and kind of a host source, links followed once. */
  readonly resolveSource: (path: string) => VolumeSource
}

export interface VolumePlan {
  readonly operations: readonly Operation[]
  readonly warnings: readonly string[]
}

/** Places of the system's own, which no volume may cover. */
const reserved = ['/', '/proc', '/dev/pts']

/**
 * Plans the mounts of an app's volumes, parents before what lies below them; mounts below a recursive source become volumes of their
 * own, so that read-only and owner mapping are decided one by one.
 *
 * @throws RktError `invalid-manifest` for a reserved target, `unsupported-host` for a writable source whose owners cannot be mapped.
 */
export function planVolumes(resolved: readonly ResolvedMount[], options: VolumePlanOptions): VolumePlan {
  const operations: { readonly depth: number; readonly operation: Operation }[] = []
  const warnings: string[] = []
  for (const mount of resolved) {
    const target = posix.normalize(`/${mount.target}`).replace(/(?<=.)\/$/, '')
    if (reserved.includes(target) || target.startsWith('/proc/')) {
      throw new RktError('invalid-manifest', `cannot mount volume ${quote(mount.volume)} on ${quote(mount.target)}: the place belongs to the system`)
    }
    for (const part of partsOf(mount, target, options)) {
      if (part.warning !== undefined) warnings.push(part.warning)
      operations.push({ depth: part.target.split('/').length, operation: { op: 'volume', source: part.source, target: part.target, flags: part.flags } })
    }
  }
  operations.sort((a, b) => a.depth - b.depth)
  return { operations: operations.map(({ operation }) => operation), warnings }
}

interface Part {
  readonly source: string
  readonly target: string
  readonly flags: number
  readonly warning?: string
}

function partsOf(mount: ResolvedMount, target: string, options: VolumePlanOptions): Part[] {
  const readOnly = mount.readOnly ? volumeFlag.readOnly : 0
  const { source } = mount
  switch (source.kind) {
    case 'empty':
      return [{ source: posix.join(options.podDir, source.path), target, flags: readOnly | volumeFlag.noDevices | (options.mapped ? volumeFlag.idmap : 0) }]
    case 'host': {
      const resolved = options.resolveSource(source.path)
      const type = mountOf(options.mounts, resolved.path)?.type ?? ''
      if (resolved.device !== undefined && options.rootless === true && mount.readOnly) {
        throw new RktError('unsupported-host', `cannot mount device ${quote(resolved.path)} read-only: an ordinary user has no device policy`, { hint: 'leave readOnly away' })
      }
      if (resolved.device !== undefined) return [devicePart(resolved.path, target, { flags: readOnly, foreign: options.mapped || options.rootless === true })]
      const travel = propagationFlag(mount, options)
      if (options.rootless === true) return [rootlessPart({ source: resolved.path, target, recursive: source.recursive, readOnly: mount.readOnly, travel }, options)]
      const below = source.recursive === false ? [] : mountsUnder(options.mounts, resolved.path)
      return [
        part({ source: resolved.path, target, type, readOnly: mount.readOnly, travel }, options),
        ...below.map((entry) => {
          const inside = posix.join(target, posix.relative(resolved.path, entry.mountPoint))
          return part({ source: entry.mountPoint, target: inside, type: entry.type, readOnly: mount.readOnly, travel }, options)
        }),
      ]
    }
    default:
      return unreachable(source)
  }
}

function devicePart(source: string, target: string, { flags, foreign }: { readonly flags: number; readonly foreign: boolean }): Part {
  const warning = `warning: device ${quote(source)} is shown with unmapped owners: only what its mode gives to others is allowed`
  return { source, target, flags, ...(foreign ? { warning } : {}) }
}

interface OwnSource {
  readonly source: string
  readonly target: string
  readonly recursive: boolean | undefined
  readonly readOnly: boolean
  readonly travel: number
}

/**
 * A source of an ordinary user, with all mounts below it: in a mount namespace of a user's own the kernel lets none of them be taken off,
 * which would show what the host has covered.
 */
function rootlessPart({ source, target, recursive, readOnly, travel }: OwnSource, { mounts }: VolumePlanOptions): Part {
  const [below] = mountsUnder(mounts, source)
  if (below !== undefined && recursive === false) {
    throw new RktError('unsupported-host', `cannot mount ${quote(source)} without the mounts below it, such as ${quote(below.mountPoint)}: the kernel shows an ordinary user both or none`, {
      hint: 'leave recursive=false away',
    })
  }
  const flags = volumeFlag.noDevices | (below === undefined ? 0 : volumeFlag.recursive) | (readOnly ? volumeFlag.readOnly : 0) | travel
  return { source, target, flags }
}

interface Shown {
  readonly source: string
  readonly target: string
  readonly type: string
  readonly readOnly: boolean
  /** `slave`, `shared` or neither, as flags of the operation. */
  readonly travel: number
}

/** ATTACK: what comes later comes as it is on the host: neither read-only nor with mapped owners. */
function propagationFlag({ volume, readOnly, source }: ResolvedMount, { mapped, rootless }: VolumePlanOptions): number {
  if (source.kind !== 'host' || source.propagation === undefined || source.propagation === 'private') return 0
  const refuse = (reason: string, hint: string): RktError =>
    new RktError('invalid-manifest', `cannot mount volume ${quote(volume)} with propagation ${source.propagation}: ${reason}`, { hint })
  if (readOnly) throw refuse('mounts that are made later would be writable', 'leave readOnly or propagation away')
  if (source.propagation === 'slave') return volumeFlag.slave
  if (mapped || rootless === true) throw refuse('a pod with a user namespace of its own mounts nothing on the host', 'use propagation=slave, or --private-users=false')
  return volumeFlag.shared
}

function part(of: Shown, { mapped, unmappable }: VolumePlanOptions): Part {
  const flags = volumeFlag.noDevices | (of.readOnly ? volumeFlag.readOnly : 0) | of.travel
  if (!mapped) return { source: of.source, target: of.target, flags }
  if (!unmappable.has(of.source)) return { source: of.source, target: of.target, flags: flags | volumeFlag.idmap }
  if (!of.readOnly) {
    throw new RktError('unsupported-host', `cannot mount ${quote(of.source)} writable: owners on a file system of type ${of.type} cannot be mapped to the pod's`, {
      hint: 'mount it readOnly=true, or run with --private-users=false',
    })
  }
  const warning = `warning: ${quote(of.source)} is shown with unmapped owners: its file system (${of.type}) cannot map them`
  return { source: of.source, target: of.target, flags, warning }
}
