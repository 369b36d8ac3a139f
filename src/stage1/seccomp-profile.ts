/** What a call gets: it is made, it kills the process with SIGSYS, or it fails with an errno. */
export type SeccompAction = 'allow' | 'kill' | { readonly errno: number }

/** Holds when the bits of `mask` in the argument (from 0) are those of `value`. */
export interface ArgumentCondition {
  readonly argument: number
  readonly mask: number
  readonly value: number
}

export interface SeccompRule {
  readonly call: string
  readonly action: SeccompAction
  readonly when?: ArgumentCondition
}

/** A filter before it is compiled. Of the rules of one call, the first whose condition holds decides. */
export interface SeccompProfile {
  /** For calls that no rule decides, and for ABIs (x32) that are neither native nor listed. */
  readonly otherwise: SeccompAction
  /** ABIs beside the native one, by libseccomp's names. */
  readonly architectures: readonly string[]
  readonly rules: readonly SeccompRule[]
}

/** The 32-bit ABI that the machine also runs: its programs are confined by the same rules. */
export function companionArchitectures(nodeArch: string): readonly string[] {
  return { x64: ['x86'], arm64: ['arm'] }[nodeArch] ?? []
}

/** The profile in the language of `build/lib/rkt/seccomp` (src/native/seccomp-profile.h); also the key of the cache. */
export function profileText(profile: SeccompProfile): string {
  const lines = [`default ${actionText(profile.otherwise)}`, ...profile.architectures.map((name) => `arch ${name}`)]
  for (const rule of profile.rules) lines.push(`${actionText(rule.action)} ${rule.call}${conditionText(rule.when)}`)
  return `${lines.join('\n')}\n`
}

function actionText(action: SeccompAction): string {
  return typeof action === 'string' ? action : `errno ${action.errno}`
}

function conditionText(condition: ArgumentCondition | undefined): string {
  if (condition === undefined) return ''
  return ` arg${condition.argument} masked_eq 0x${condition.mask.toString(16)} 0x${condition.value.toString(16)}`
}
