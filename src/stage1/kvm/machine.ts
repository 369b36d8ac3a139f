import { existsSync, readFileSync } from 'node:fs'
import { libraryFile, RktError } from '../../base/index.ts'

const monitor = '/usr/bin/qemu-system-x86_64'

/** What a virtual machine is made of; paths are those of the host. */
export interface MachineFacts {
  readonly monitor: string
  readonly kernel: string
  /** Whether the processor runs guests itself; else they are emulated. */
  readonly accelerated: boolean
}

/** Disks that a microvm has places for, beside the port. */
export const maxDisks = 6

const mebibyte = 1024 * 1024

/** Memory of a guest: what its apps may use and what its kernel needs, at least what the original gave. */
export function guestMemoryBytes(limits: readonly number[]): number {
  return Math.max(512 * mebibyte, limits.reduce((sum, limit) => sum + limit, 0) + 128 * mebibyte)
}

/**
 * Looks for what a virtual machine needs.
 *
 * @throws RktError `missing-tool` naming what is missing and the command that brings it.
 */
export function findMachine(): MachineFacts {
  if (process.arch !== 'x64') throw new RktError('unsupported-host', `cannot use isolation "kvm" on ${process.arch}; expected an x86-64 host`)
  if (!existsSync(monitor)) {
    throw new RktError('missing-tool', `cannot use isolation "kvm": ${monitor} is missing`, { hint: 'apt-get install qemu-system-x86' })
  }
  const kernel = libraryFile('guest-kernel')
  if (!existsSync(kernel)) throw new RktError('missing-tool', `cannot use isolation "kvm": the guest kernel is missing`, { hint: 'make guest-kernel, or install the package that brings it' })
  // KERNEL: /dev/kvm may be there on a machine that is a guest itself and runs none.
  const accelerated = existsSync('/dev/kvm') && /^flags\s*:.*\b(?:svm|vmx)\b/m.test(readFileSync('/proc/cpuinfo', 'latin1'))
  return { monitor, kernel, accelerated }
}

export interface MachineShape {
  readonly accelerated: boolean
  readonly memoryBytes: number
  readonly cpus: number
  /** Paths in the monitor's root. */
  readonly kernel: string
  readonly initrd: string
  readonly disks: readonly string[]
}

/** The monitor's words: a microvm without firmware tables, with the disks read-only and one port, which is the monitor's standard input. */
export function machineArguments(shape: MachineShape): string[] {
  return [
    monitor,
    '-nodefaults',
    '-no-user-config',
    '-no-reboot',
    ...['-display', 'none'],
    ...['-M', 'microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=off'],
    ...['-accel', shape.accelerated ? 'kvm' : 'tcg,thread=multi,tb-size=32'],
    ...['-cpu', shape.accelerated ? 'host' : 'max'],
    ...['-m', String(shape.memoryBytes / mebibyte)],
    ...['-smp', String(shape.cpus)],
    ...['-kernel', shape.kernel],
    ...['-initrd', shape.initrd],
    ...['-append', 'quiet panic=-1 reboot=t random.trust_cpu=off rcupdate.rcu_expedited=1'],
    ...shape.disks.flatMap((path, index) => [
      ...['-drive', `if=none,id=disk${index},format=raw,readonly=on,file=${path.replaceAll(',', ',,')}`],
      ...['-device', `virtio-blk-device,drive=disk${index}`],
    ]),
    ...['-device', 'virtio-serial-device,max_ports=2'],
    ...['-chardev', 'socket,id=rkt,fd=0'],
    ...['-device', 'virtserialport,chardev=rkt,name=rkt,nr=1'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
  ]
}
