import { isMutable, type PreparedPod } from '../pod/index.ts'
import type { HostFacts } from './facts.ts'
import type { Operation } from './plan/operations.ts'

/** After SIGTERM apps have this long before SIGKILL. */
export const stopTimeoutMs = 10_000

/** How the launcher looks after a pod, whatever the flavour. */
export function superviseOperations({ pod, host }: { readonly pod: PreparedPod; readonly host: Pick<HostFacts, 'notifySocket'> }): Operation[] {
  const mutable = isMutable(pod.manifest)
  return [
    { op: 'stop-timeout', ms: stopTimeoutMs },
    ...(pod.apps.length > 1 || mutable ? [{ op: 'prefix-output' } as const] : []),
    ...(mutable ? [{ op: 'mutable' } as const] : []),
    ...(host.notifySocket === undefined ? [] : [{ op: 'notify', socket: host.notifySocket } as const]),
  ]
}
