import { volumeFlag } from '../plan/flags.ts'
import type { Operation } from '../plan/operations.ts'

/** Read-only in every app; each with its reason. */
export const readOnlyPaths: readonly (readonly [path: string, reason: string])[] = [
  ['proc/sys', 'kernel settings: writable ones reach the host (core_pattern, modprobe, panic_on_oom)'],
  ['proc/sysrq-trigger', 'reboots and crashes the host'],
  ['proc/bus', 'devices of the host'],
  ['proc/irq', 'interrupt routing of the host'],
  ['proc/fs', 'file systems of the host'],
]

/** Made empty in every app; each with its reason. */
export const maskedPaths: readonly (readonly [path: string, reason: string])[] = [
  ['proc/acpi', 'hardware of the host'],
  ['proc/asound', 'hardware of the host'],
  ['proc/config.gz', 'tells an attacker what the kernel lacks'],
  ['proc/dynamic_debug', 'switches messages of the host kernel on, for a root with the ids of the host'],
  ['proc/interrupts', 'side channel of keystrokes and network'],
  ['proc/kallsyms', 'addresses of the kernel'],
  ['proc/kcore', 'memory of the host'],
  ['proc/keys', 'keys of other containers'],
  ['proc/kmem', 'memory of the host'],
  ['proc/kpagecgroup', 'physical pages of the host and who uses them'],
  ['proc/kpagecount', 'physical pages of the host and who uses them'],
  ['proc/kpageflags', 'physical pages of the host and who uses them'],
  ['proc/latency_stats', 'activity of the host'],
  ['proc/mem', 'memory of the host'],
  ['proc/pagetypeinfo', 'layout of the kernel memory, for attacks on its allocator'],
  ['proc/sched_debug', 'processes of the host'],
  ['proc/scsi', 'disks of the host'],
  ['proc/slabinfo', 'layout of the kernel memory, for attacks on its allocator'],
  ['proc/timer_list', 'activity of the host'],
  ['proc/timer_stats', 'activity of the host'],
  ['proc/vmallocinfo', 'addresses of the kernel'],
  ['sys/devices/virtual/powercap', 'power side channel (CVE-2020-8694)'],
  ['sys/firmware', 'tables of the host firmware'],
  ['sys/fs/selinux', 'security policy of the host'],
  ['sys/hypervisor', 'the machine below the host'],
  ['sys/kernel/debug', 'internals of the kernel'],
  ['sys/kernel/security', 'security policy of the host'],
  ['sys/module', 'drivers of the host and their parameters'],
  ['sys/power', 'sleep states of the host'],
]

/** Masks and read-only paths of an app; `/sys` as a whole is mounted read-only. */
export function protectedPaths(): Operation[] {
  return [
    ...readOnlyPaths.map(([path]): Operation => ({ op: 'read-only', path })),
    ...maskedPaths.map(([path]): Operation => ({ op: 'mask', path })),
  ]
}

const characterDevice = 0o020000
const everyone = 0o666

/** The devices that every app has; major and minor numbers as in the kernel's devices.txt. */
const devices: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
]

/**
 * A private `/dev`. Without a terminal, writing to the console goes nowhere. Message queues belong to an IPC namespace, and those of the
 * host's can be mounted by the host's root only: without `ownsIpc` their directory stays empty. Only the host's root can make nodes that
 * work.
 */
export function deviceDirectory(options: { readonly ownsIpc: boolean; readonly canMakeNodes: boolean }): Operation[] {
  const nodes: Operation[] = [
    ...devices.map(([name, major, minor]): Operation => ({ op: 'dev-node', name, mode: characterDevice | everyone, major, minor })),
    { op: 'dev-node', name: 'console', mode: characterDevice | 0o620, major: 1, minor: 3 },
  ]
  // The host's own nodes, behind mounts: whoever may not make one gets the same devices, and no others.
  const flags = volumeFlag.noSetuid | volumeFlag.noExec
  const mounted = [...devices.map(([name]) => [name, name] as const), ['console', 'null'] as const].map(
    ([name, source]): Operation => ({ op: 'volume', source: `/dev/${source}`, target: `dev/${name}`, flags }),
  )
  return [
    { op: 'dev', target: 'dev' },
    ...(options.canMakeNodes ? nodes : []),
    { op: 'dev-link', name: 'ptmx', target: 'pts/ptmx' },
    { op: 'dev-link', name: 'fd', target: '/proc/self/fd' },
    { op: 'dev-link', name: 'stdin', target: '/proc/self/fd/0' },
    { op: 'dev-link', name: 'stdout', target: '/proc/self/fd/1' },
    { op: 'dev-link', name: 'stderr', target: '/proc/self/fd/2' },
    { op: 'dev-link', name: 'core', target: '/proc/kcore' },
    { op: 'mkdir', path: 'dev/pts', mode: 0o755 },
    { op: 'mkdir', path: 'dev/shm', mode: 0o1777 },
    { op: 'mkdir', path: 'dev/mqueue', mode: 0o1777 },
    ...(options.canMakeNodes ? [] : mounted),
    { op: 'devpts', target: 'dev/pts' },
    { op: 'tmpfs', target: 'dev/shm', options: 'mode=1777,size=65536k', flags: 1 },
    ...(options.ownsIpc ? [{ op: 'mqueue', target: 'dev/mqueue' } as const] : []),
  ]
}

/** The device policy of a pod that shares the host's user ids: these nodes may be opened, and only they may be made. */
export function deviceRules(): string[] {
  return [...devices.map(([, major, minor]) => `c ${major}:${minor} rwm`), 'c 5:1 rwm', 'c 5:2 rwm', 'c 136:* rwm']
}
