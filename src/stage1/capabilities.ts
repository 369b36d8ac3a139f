import { quote, RktError } from '../base/index.ts'
import type { Isolator } from '../spec/index.ts'

/** Names in the order of their numbers; source: linux/capability.h. */
const names = [
  'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT',
  'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE',
  'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ',
  'PERFMON', 'BPF', 'CHECKPOINT_RESTORE',
] as const

/** The 14 that ordinary images need: those of the original. */
const defaults: readonly string[] = [
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'KILL', 'MKNOD', 'NET_RAW', 'NET_BIND_SERVICE', 'SETUID', 'SETGID', 'SETPCAP',
  'SETFCAP', 'SYS_CHROOT',
]

const all = (1n << BigInt(names.length)) - 1n

/**
 * The bounding set of an app as a mask: what its isolators retain, or the default without what they remove.
 *
 * @throws RktError `invalid-manifest` for an unknown name or for both kinds together.
 */
export function boundingSet(isolators: readonly Isolator[], options: { readonly unrestricted: boolean }): bigint {
  if (options.unrestricted) return all
  const retain = isolators.flatMap((isolator) => (isolator.kind === 'capabilities-retain' ? isolator.set : []))
  const remove = isolators.flatMap((isolator) => (isolator.kind === 'capabilities-remove' ? isolator.set : []))
  const retains = isolators.some((isolator) => isolator.kind === 'capabilities-retain')
  if (retains && remove.length > 0) {
    throw new RktError('invalid-manifest', 'cannot have both os/linux/capabilities-retain-set and os/linux/capabilities-remove-set')
  }
  return retains ? maskOf(retain) : maskOf(defaults) & ~maskOf(remove)
}

/**
 * The bit of one capability.
 *
 * @throws RktError `invalid-manifest` for an unknown name.
 */
export function capabilityMask(name: string): bigint {
  return 1n << BigInt(numberOf(name))
}

/** `CAP_…` names of a mask. */
export function capabilityNames(mask: bigint): string[] {
  return names.flatMap((name, at) => ((mask >> BigInt(at)) & 1n) === 1n ? [`CAP_${name}`] : [])
}

function maskOf(set: readonly string[]): bigint {
  return set.reduce((mask, text) => mask | capabilityMask(text), 0n)
}

function numberOf(text: string): number {
  const name = text.toUpperCase().replace(/^CAP_/, '')
  const at = names.findIndex((candidate) => candidate === name)
  if (at < 0) throw new RktError('invalid-manifest', `cannot use capability ${quote(text)}: unknown; expected a name such as CAP_NET_ADMIN`)
  return at
}
