import { quote, RktError } from '../../base/index.ts'
import type { PreparedApp, PreparedPod } from '../../pod/index.ts'
import type { Isolator } from '../../spec/index.ts'
import { boundingSet, capabilityMask } from '../capabilities.ts'
import type { HostFacts } from '../facts.ts'
import { volumeFlag } from '../plan/flags.ts'
import type { Operation } from '../plan/operations.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import { defaultProfile } from '../security-modules.ts'

export interface ConfinementInputs {
  readonly pod: Pick<PreparedPod, 'idRange'>
  readonly app: PreparedApp
  readonly runtime: Pick<RuntimeOptions, 'insecure'>
  readonly host: Pick<HostFacts, 'security'>
  /** Those of the app that are to be enforced. */
  readonly isolators: readonly Isolator[]
  /** BPF program; left out: unfiltered. */
  readonly seccomp?: Uint8Array
  /** The operations that mount the app's volumes. */
  readonly volumes: readonly Operation[]
}

/**
 * What the programs of an app may do: the launcher takes these operations for the app itself, its event handlers and `rkt enter` alike.
 *
 * @throws RktError `invalid-manifest` for capabilities that nobody knows, or that would open the host.
 */
export function planConfinement(inputs: ConfinementInputs): Operation[] {
  const { app, runtime, isolators, seccomp } = inputs
  const bounding = boundingSet(isolators, { unrestricted: runtime.insecure.capabilities })
  refuseTakeover(bounding, inputs)
  const oom = isolators.flatMap((isolator) => (isolator.kind === 'oom-score-adj' ? [isolator.score] : [])).at(-1)
  return [
    { op: 'capabilities', bounding },
    ...(seccomp === undefined ? [] : [{ op: 'seccomp', filter: seccomp } as const]),
    ...(isolators.some((isolator) => isolator.kind === 'no-new-privileges' && isolator.enabled) ? [{ op: 'no-new-privileges' } as const] : []),
    ...(oom === undefined ? [] : [{ op: 'oom-score', score: oom >>> 0 } as const]),
    ...labels(inputs),
    ...(app.runtime.readOnlyRootFS && !runtime.insecure.paths ? [{ op: 'landlock', writable: writablePlaces(inputs.volumes) } as const] : []),
  ]
}

/** ATTACK: init is in the pod's PID namespace; without a user namespace it is the host's root, and may be traced with this capability. */
function refuseTakeover(bounding: bigint, { pod, app, runtime }: ConfinementInputs): void {
  if (pod.idRange !== undefined || runtime.insecure.capabilities || (bounding & capabilityMask('CAP_SYS_PTRACE')) === 0n) return
  throw new RktError(
    'invalid-manifest',
    `cannot give CAP_SYS_PTRACE to app ${quote(app.name)} with the user ids of the host: through the pod's init it could become root of the host`,
    { hint: 'run the pod with a user namespace of its own, without --private-users=false; or with --insecure-options=capabilities' },
  )
}

function labels({ isolators, host, runtime }: ConfinementInputs): Operation[] {
  const found = isolators.flatMap((isolator): Operation[] => {
    if (isolator.kind === 'apparmor-profile') return [profileLabel(isolator.profile)]
    if (isolator.kind !== 'selinux-context') return []
    const { user, role, type, level } = isolator
    return [{ op: 'security-label', file: 'attr/exec', value: [user, role, type, level].join(':') }]
  })
  const chosen = isolators.some(({ kind }) => kind === 'apparmor-profile')
  return host.security.usesProfiles && !chosen && !runtime.insecure.paths ? [...found, profileLabel(defaultProfile)] : found
}

function profileLabel(profile: string): Operation {
  return { op: 'security-label', file: 'attr/apparmor/exec', value: `exec ${profile}` }
}

/** Where an app with a read-only root may write: its writable volumes, devices, and what the kernel lets it write below /proc. */
function writablePlaces(volumes: readonly Operation[]): string[] {
  const writable = volumes.flatMap((operation) => (operation.op === 'volume' && (operation.flags & volumeFlag.readOnly) === 0 ? [operation.target] : []))
  return ['/dev', '/proc', ...writable]
}
