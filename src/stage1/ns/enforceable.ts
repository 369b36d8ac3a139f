import { quote, RktError } from '../../base/index.ts'
import type { Isolator } from '../../spec/index.ts'
import { hierarchyWith } from '../cgroups.ts'
import type { HostFacts } from '../facts.ts'
import { controllerOf } from './cgroup-limits.ts'
import { type OwnNamespaces, sysctlObstacle } from './sysctl-plan.ts'

export interface EnforceableOptions {
  readonly host: Pick<HostFacts, 'cgroups' | 'security'>
  readonly own: OwnNamespaces
  /** Who asks, for messages: `app "x"` or `the pod`. */
  readonly who: string
}

export interface Enforceable {
  readonly isolators: readonly Isolator[]
  /** One line for each that is left out. */
  readonly warnings: readonly string[]
}

/**
 * The isolators that this host can enforce.
 *
 * SPEC: appc lets an executor ignore isolators that it does not know, if it tells.
 *
 * @throws RktError `unsupported-host` for one that it cannot, unless the manifest marks it optional.
 */
export function enforceable(isolators: readonly Isolator[], options: EnforceableOptions): Enforceable {
  const kept: Isolator[] = []
  const warnings: string[] = []
  for (const isolator of isolators) {
    const obstacle = obstacleOf(isolator, options)
    if (obstacle === undefined && isolator.kind !== 'other') {
      kept.push(isolator)
      continue
    }
    if (obstacle !== undefined && isolator.optional === undefined) {
      throw new RktError('unsupported-host', `cannot enforce isolator ${quote(isolator.name)} of ${options.who}: ${obstacle}`, {
        hint: 'leave the isolator away, or mark it "optional": true in the manifest',
      })
    }
    warnings.push(`warning: isolator ${quote(isolator.name)} of ${options.who} is not enforced: ${obstacle ?? 'unknown'}`)
  }
  return { isolators: kept, warnings }
}

/**
 * Those of the pod as a whole: limits of its control group. The others belong to programs, so each app says them itself.
 *
 * @throws RktError as `enforceable`.
 */
export function podIsolators(isolators: readonly Isolator[], options: Omit<EnforceableOptions, 'who'>): Enforceable {
  const who = 'the pod'
  const limits = enforceable(isolators.filter((isolator) => isLimit(isolator)), { ...options, who })
  const others = isolators.filter((isolator) => !isLimit(isolator))
  const strict = others.find(({ optional, kind }) => optional === undefined && kind !== 'other')
  if (strict !== undefined) {
    throw new RktError('unsupported-host', `cannot enforce isolator ${quote(strict.name)} of ${who}: it holds for programs`, { hint: 'say it in each app' })
  }
  const warnings = others.map(({ name }) => `warning: isolator ${quote(name)} of ${who} is not enforced: it holds for programs, or is unknown`)
  return { isolators: limits.isolators, warnings: [...limits.warnings, ...warnings] }
}

function isLimit({ name, kind }: Isolator): boolean {
  return kind !== 'other' && (name.startsWith('resource/') || kind === 'cpu-shares')
}

function obstacleOf(isolator: Isolator, { host, own }: EnforceableOptions): string | undefined {
  switch (isolator.kind) {
    case 'network-bandwidth':
      return 'the bandwidth of networks is not limited here'
    case 'selinux-context':
      return host.security.selinux ? undefined : 'SELinux is not on'
    case 'apparmor-profile':
      return host.security.apparmor ? undefined : 'AppArmor is not on'
    case 'sysctl':
      return Object.keys(isolator.settings).map((name) => sysctlObstacle(name, own)).find((obstacle) => obstacle !== undefined)
    default:
      return missingController(isolator, host)
  }
}

function missingController(isolator: Isolator, { cgroups }: EnforceableOptions['host']): string | undefined {
  const controller = controllerOf(isolator)
  if (controller === undefined) return undefined
  const there = cgroups.kind === 'v2' ? cgroups.controllers.includes(controller) : hierarchyWith(cgroups, controller) !== undefined
  if (there) return undefined
  return cgroups.kind === 'none'
    ? `an ordinary user has no control group with the ${controller} controller here (systemd-run --user --scope --property=Delegate=yes rkt … gives one)`
    : `this host has no ${controller} controller for control groups`
}
