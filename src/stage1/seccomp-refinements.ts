import type { SeccompAction, SeccompRule } from './seccomp-profile.ts'
import { constants } from 'node:os'

const eperm: SeccompAction = { errno: constants.errno.EPERM }
const noSuchFamily: SeccompAction = { errno: constants.errno.EAFNOSUPPORT }

/** The kernel looks at the low half of these arguments only, so bits above must not hide a value. */
const int = 0xffff_ffff

/**
 * Requests that put text into the input of the terminal, which may be the caller's: TIOCSTI, and the paste of TIOCLINUX.
 */
const terminalInjection = [0x5412, 0x541c]

/**
 * Families that the network namespace does not hold: AF_ALG is the kernel's cryptography and no network at all, AF_VSOCK talks to the
 * hypervisor of the host. The answer is that of a kernel without them.
 */
const foreignFamilies = [38, 40]

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME is no flag of clone. */
const namespaceFlags = [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]

/** PER_LINUX, PER_LINUX32, each with UNAME26, and the question what it is; the others turn protections of memory off. */
const harmlessPersonalities = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff]

const refinements: Readonly<Record<string, readonly SeccompRule[]>> = {
  ioctl: [...terminalInjection.map((value) => rule('ioctl', eperm, 1, int, value)), { call: 'ioctl', action: 'allow' }],
  socket: [...foreignFamilies.map((value) => rule('socket', noSuchFamily, 0, int, value)), { call: 'socket', action: 'allow' }],
  clone: [...namespaceFlags.map((flag) => rule('clone', eperm, 0, flag, flag)), { call: 'clone', action: 'allow' }],
  personality: [
    ...harmlessPersonalities.map((value) => rule('personality', 'allow', 0, int, value)),
    { call: 'personality', action: eperm },
  ],
}

/** The rules that let a call through as far as an app may make it. */
export function allowRefined(call: string): readonly SeccompRule[] {
  return refinements[call] ?? [{ call, action: 'allow' }]
}

function rule(call: string, action: SeccompAction, argument: number, mask: number, value: number): SeccompRule {
  return { call, action, when: { argument, mask, value } }
}
