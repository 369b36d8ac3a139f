import { constants } from 'node:os'
import { quote, RktError } from '../base/index.ts'
import type { Isolator, IsolatorOf } from '../spec/index.ts'
import { absent, absentByDefault, defaultProfile } from './seccomp-default.ts'
import { companionArchitectures, type SeccompAction, type SeccompProfile, type SeccompRule } from './seccomp-profile.ts'
import { allowRefined } from './seccomp-refinements.ts'
import { alwaysRetained, namedSets } from './seccomp-sets.ts'

type SeccompIsolator = IsolatorOf<'seccomp-retain' | 'seccomp-remove'>

interface WantedCalls {
  /** Spelled out in the isolator. */
  readonly plain: ReadonlySet<string>
  /** Spelled out, or in a named set. */
  readonly all: ReadonlySet<string>
}

/**
 * The filter that an app's isolators ask for: a whitelist (retain-set), a blacklist (remove-set), the default one when they say
 * nothing, and undefined, no filter at all, for `retain-set @appc.io/all`. What an isolator blocks kills the app with SIGSYS, unless
 * it names an errno.
 *
 * @throws RktError `invalid-manifest` for two isolators, an unknown errno, or a name that cannot be that of a call.
 */
export function profileForIsolators(isolators: readonly Isolator[]): SeccompProfile | undefined {
  const found = isolators.filter((one): one is SeccompIsolator => one.kind === 'seccomp-retain' || one.kind === 'seccomp-remove')
  if (found.length > 1) throw new RktError('invalid-manifest', 'too many seccomp isolators specified')
  const [isolator] = found
  if (isolator === undefined) return defaultProfile()
  const errno = errnoAction(isolator)
  if (isolator.kind === 'seccomp-retain' && isolator.set.includes('@appc.io/all')) return undefined
  const wanted = wantedCalls(isolator)
  if (wanted.all.size === 0 || isolator.set.includes('@appc.io/empty')) return defaultProfile(errno)
  return isolator.kind === 'seccomp-retain' ? whitelist(wanted, errno ?? 'kill') : blacklist(wanted, errno ?? 'kill')
}

/** Whether an app means to make namespaces: its filter keeps unshare(2) by name, or every call. What a remove-set happens to leave is no wish. */
export function asksForNamespaces(isolators: readonly Isolator[]): boolean {
  return isolators.some((isolator) => isolator.kind === 'seccomp-retain' && ['unshare', '@appc.io/all'].some((call) => isolator.set.includes(call)))
}

/** Clone with flags for namespaces stays refused unless the isolator asks for unshare(2), which does the same. */
function whitelist({ plain, all }: WantedCalls, blocked: SeccompAction): SeccompProfile {
  const allow = (call: string): readonly SeccompRule[] =>
    call === 'clone' && plain.has('unshare') ? [{ call, action: 'allow' }] : allowRefined(call)
  return {
    otherwise: blocked,
    architectures: companionArchitectures(process.arch),
    rules: [
      ...[...new Set([...all, ...alwaysRetained])].flatMap(allow),
      ...[...absentByDefault].filter((call) => !all.has(call)).map((call): SeccompRule => ({ call, action: absent })),
    ],
  }
}

/**
 * A named set means clone and personality only as far as the default filter refuses them: without any clone nothing runs. The refusal
 * of terminal input stays in force; clone3 cannot be told from a clone that is refused, so it is absent.
 */
function blacklist({ plain, all }: WantedCalls, blocked: SeccompAction): SeccompProfile {
  const refinable = ['clone', 'personality'].filter((call) => all.has(call) && !plain.has(call))
  const refined = all.has('ioctl') ? refinable : ['ioctl', ...refinable]
  const hidden = all.has('clone') && !all.has('clone3') ? ['clone3'] : []
  return {
    otherwise: 'allow',
    architectures: companionArchitectures(process.arch),
    rules: [
      ...[...all].filter((call) => !refinable.includes(call)).map((call): SeccompRule => ({ call, action: blocked })),
      ...refined.flatMap(allowRefined),
      ...hidden.map((call): SeccompRule => ({ call, action: absent })),
    ],
  }
}

/** A named set that nobody knows is ignored, as in the original. */
function wantedCalls(isolator: SeccompIsolator): WantedCalls {
  const plain = new Set(isolator.set.filter((item) => !item.startsWith('@')))
  for (const call of plain) {
    // ATTACK: the name becomes a word of a line; a space or newline would become rules.
    if (!/^[A-Za-z0-9_]{1,64}$/.test(call)) {
      throw new RktError('invalid-manifest', `cannot use isolator ${quote(isolator.name)}: ${quote(call)} is not the name of a system call`)
    }
  }
  return { plain, all: new Set([...plain, ...isolator.set.flatMap((item) => namedSets.get(item) ?? [])]) }
}

function errnoAction(isolator: SeccompIsolator): SeccompAction | undefined {
  if (isolator.errno === undefined) return undefined
  const errno = new Map<string, number>(Object.entries(constants.errno)).get(isolator.errno)
  if (errno !== undefined) return { errno }
  throw new RktError('invalid-manifest', `cannot use isolator ${quote(isolator.name)}: errno ${quote(isolator.errno)} is unknown; expected a name such as EPERM`)
}
