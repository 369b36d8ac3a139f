import { constants } from 'node:os'
import { absentCalls, laterCalls, originalCalls, refusedCalls, type CallGroup } from './seccomp-calls.ts'
import { companionArchitectures, type SeccompAction, type SeccompProfile, type SeccompRule } from './seccomp-profile.ts'
import { allowRefined } from './seccomp-refinements.ts'

/** The answer of a kernel that does not have the call. */
export const absent: SeccompAction = { errno: constants.errno.ENOSYS }

const refused = callsOf(refusedCalls)

/** Calls that programs find missing and have another way for. */
export const absentByDefault: ReadonlySet<string> = callsOf(absentCalls)

/** Calls that an app may make when its image says nothing. */
export const allowedByDefault: ReadonlySet<string> = new Set(
  [...callsOf(originalCalls), ...callsOf(laterCalls)].filter((call) => !refused.has(call) && !absentByDefault.has(call)),
)

/**
 * The filter of an app whose image says nothing. Known calls that it must not make answer EPERM, calls that this list has never heard
 * of answer ENOSYS, as on an older kernel: a program of tomorrow takes its fallback instead of being killed.
 */
export function defaultProfile(blocked?: SeccompAction): SeccompProfile {
  const refusal = blocked ?? { errno: constants.errno.EPERM }
  return {
    otherwise: blocked ?? absent,
    architectures: companionArchitectures(process.arch),
    rules: [
      ...[...allowedByDefault].flatMap(allowRefined),
      ...[...refused].map((call): SeccompRule => ({ call, action: refusal })),
      ...[...absentByDefault].map((call): SeccompRule => ({ call, action: absent })),
    ],
  }
}

function callsOf(groups: readonly CallGroup[]): ReadonlySet<string> {
  return new Set(groups.flatMap((group) => group.calls))
}
