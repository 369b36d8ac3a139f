import type { ArgumentCondition, SeccompAction, SeccompProfile, SeccompRule } from '../seccomp-profile.ts'

/** SPEC: OCI runtime specification 1.0.2, config-linux.md, Seccomp. */
export interface OciSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures: readonly string[]
  readonly syscalls: readonly OciSyscall[]
}

interface OciSyscall {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly { readonly index: number; readonly value: number; readonly valueTwo: number; readonly op: 'SCMP_CMP_MASKED_EQ' }[]
}

const native: Readonly<Record<string, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' }
const companions: Readonly<Record<string, string>> = { x86: 'SCMP_ARCH_X86', arm: 'SCMP_ARCH_ARM' }

/** A profile as an OCI runtime reads it: the same calls with the same answers. */
export function ociSeccomp(profile: SeccompProfile, nodeArch: string): OciSeccomp {
  const byCall = new Map<string, SeccompRule[]>()
  for (const rule of profile.rules) byCall.set(rule.call, [...(byCall.get(rule.call) ?? []), rule])
  const plain = new Map<string, { readonly action: SeccompAction; readonly names: string[] }>()
  const refined: OciSyscall[] = []
  for (const [call, rules] of byCall) {
    const [first] = rules
    if (first !== undefined && first.when === undefined) {
      const key = JSON.stringify(first.action)
      const entry = plain.get(key) ?? { action: first.action, names: [] }
      entry.names.push(call)
      plain.set(key, entry)
    } else {
      refined.push(...refinedCall(call, rules))
    }
  }
  const otherwise = actionOf(profile.otherwise)
  return {
    defaultAction: otherwise.action,
    ...(otherwise.errnoRet === undefined ? {} : { defaultErrnoRet: otherwise.errnoRet }),
    architectures: [native[nodeArch], ...profile.architectures.map((name) => companions[name])].flatMap((name) => name ?? []),
    syscalls: [...[...plain.values()].map(({ action, names }): OciSyscall => ({ names, ...actionOf(action) })), ...refined],
  }
}

/**
 * The rules of one call. libseccomp lets an unconditional rule swallow the conditional ones, where ours are tried in turn: so "refuse
 * these values, allow the rest" becomes conditions for the rest.
 */
function refinedCall(call: string, rules: readonly SeccompRule[]): OciSyscall[] {
  const conditional = rules.flatMap(({ action, when }) => (when === undefined ? [] : [{ action, when }]))
  const last = rules.at(-1)
  const rest = last !== undefined && last.when === undefined && last.action === 'allow' ? valuesBeside(conditional.map(({ when }) => when)) : []
  // i386 has socket(2) as a part of socketcall(2) too, where libseccomp sees no arguments and takes one answer only: the default one then.
  const said = call === 'socket' ? conditional.filter(({ action }) => action === 'allow') : conditional
  return [
    ...said.map(({ action, when }) => syscall(call, action, when)),
    ...rest.map((when) => syscall(call, 'allow', when)),
  ]
}

function syscall(call: string, action: SeccompAction, { argument, mask, value }: ArgumentCondition): OciSyscall {
  return { names: [call], ...actionOf(action), args: [{ index: argument, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' }] }
}

/** Conditions that together hold for every value which none of `refused` holds for. */
function valuesBeside(refused: readonly ArgumentCondition[]): ArgumentCondition[] {
  const [first] = refused
  if (first === undefined) return []
  const { argument } = first
  if (refused.every(({ mask, value }) => mask === value && isBit(mask))) {
    return [{ argument, mask: refused.reduce((union, { mask }) => (union | mask) >>> 0, 0), value: 0 }]
  }
  const { mask } = first
  if (!refused.every((one) => one.mask === mask && one.argument === argument)) throw new Error('refused values of different masks')
  const values = refused.map(({ value }) => value)
  const bits = Array.from({ length: 32 }, (_, at) => (1 << at) >>> 0).filter((bit) => (mask & bit) !== 0)
  const common = bits.filter((bit) => values.every((value) => (value & bit) === (first.value & bit)))
  const different = bits.filter((bit) => !common.includes(bit))
  const differs = common.map((bit): ArgumentCondition => ({ argument, mask: bit, value: (~first.value & bit) >>> 0 }))
  const among = different.reduce((union, bit) => (union | bit) >>> 0, 0)
  const taken = new Set(values.map((value) => (value & among) >>> 0))
  const others = combinations(different).filter((value) => !taken.has(value))
  return [...differs, ...others.map((value): ArgumentCondition => ({ argument, mask: among, value }))]
}

function combinations(bits: readonly number[]): number[] {
  return bits.reduce<number[]>((values, bit) => values.flatMap((value) => [value, (value | bit) >>> 0]), [0])
}

function isBit(mask: number): boolean {
  return mask !== 0 && (mask & (mask - 1)) === 0
}

function actionOf(action: SeccompAction): { readonly action: string; readonly errnoRet?: number } {
  if (action === 'allow') return { action: 'SCMP_ACT_ALLOW' }
  if (action === 'kill') return { action: 'SCMP_ACT_KILL_PROCESS' }
  return { action: 'SCMP_ACT_ERRNO', errnoRet: action.errno }
}
