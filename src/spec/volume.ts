import { quote } from '../base/index.ts'
import { fault, member, type Decoder } from './decode.ts'
import { acName, absolutePath, flag, integer, object, optional, required, text, textWhere } from './decoders.ts'
import type { ACName } from './names.ts'

/** A directory or file of the host that apps mount. */
export interface HostVolume {
  readonly name: ACName
  readonly kind: 'host'
  /** Absolute path on the host. */
  readonly source: string
  /** Left out: the mount point of the image decides. */
  readonly readOnly?: boolean
  /** Left out: the flavour of stage1 decides. */
  readonly recursive?: boolean
  /** Whether mounts that are made later travel: into the pod (`slave`), both ways (`shared`), or not at all (left out). Ours, not appc's. */
  readonly propagation?: Propagation
}

/** How mounts below a volume travel between host and pod. */
export type Propagation = 'private' | 'slave' | 'shared'

/** A directory that begins empty and lives as long as its pod. */
export interface EmptyVolume {
  readonly name: ACName
  readonly kind: 'empty'
  /** Octal permission bits, such as `0755`. Where none of these three is given, the directory of the image that the volume covers has them. */
  readonly mode?: string
  readonly uid?: number
  readonly gid?: number
  readonly readOnly?: boolean
  readonly recursive?: boolean
}

export type Volume = HostVolume | EmptyVolume

/** The largest user or group id; the one above means "none" to the kernel. */
export const maxID = 4_294_967_294

/** What an empty volume has when neither it nor the image says anything. */
export const emptyVolumeDefaults = { mode: '0755', uid: 0, gid: 0 } as const

/** With or without the `r` of mount(8): mounts below a volume follow it in any case. */
const propagation: Decoder<Propagation> = (at) => {
  const known = (['private', 'slave', 'shared'] as const).find((word) => at.value === word || at.value === `r${word}`)
  return known ?? fault(at, `${quote(String(at.value))}; expected private, slave or shared`)
}

const fields = object({
  name: required(acName),
  kind: required(text),
  source: optional(text),
  readOnly: optional(flag),
  recursive: optional(flag),
  mode: optional(textWhere((value) => /^0*[0-7]{1,4}$/.test(value) && value.length <= 8, 'octal permission bits, such as 0755')),
  uid: optional(integer(0, maxID)),
  gid: optional(integer(0, maxID)),
  propagation: optional(propagation),
})

/** A volume; the members that only the other kind has are faults. SPEC: appc 0.8.11 pods.md. */
export const volume: Decoder<Volume> = (at) => {
  const found = fields(at)
  if (found === undefined) return undefined
  const { name, kind, source, mode, uid, gid, readOnly, recursive, propagation: travel } = found
  const shared = { name, ...(readOnly === undefined ? {} : { readOnly }), ...(recursive === undefined ? {} : { recursive }) }
  if (kind === 'empty') {
    if (source !== undefined && source !== '') return fault(member(at, 'source', source), 'source for empty volume must be empty')
    if (travel !== undefined) return fault(member(at, 'propagation', travel), 'propagation for empty volume cannot be set')
    return { ...shared, kind, ...(mode === undefined ? {} : { mode }), ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }
  }
  if (kind !== 'host') return fault(member(at, 'kind', kind), `unrecognized volume kind ${quote(kind)}: should be one of "empty", "host"`)
  const before = at.faults.length
  for (const [key, value] of Object.entries({ mode, uid, gid })) {
    if (value !== undefined) fault(member(at, key, value), `${key} for host volume cannot be set`)
  }
  if (source === undefined || source === '') return fault(member(at, 'source', source), 'source for host volume cannot be empty')
  const path = absolutePath(member(at, 'source', source))
  return path === undefined || at.faults.length > before ? undefined : { ...shared, kind, source: path, ...(travel === undefined ? {} : { propagation: travel }) }
}
