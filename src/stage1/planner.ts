import { readFileSync } from 'node:fs'
import { RktError, unreachable } from '../base/index.ts'
import type { Isolation } from '../spec/index.ts'
import type { RuntimeOptions } from './runtime-options.ts'
import { planPod, type PodPlan, type PodPlanInputs } from './ns/plan-pod.ts'

/**
 * The planner of a flavour.
 *
 * @throws RktError `unsupported` for a flavour that this version cannot start.
 */
export async function plannerOf(isolation: Isolation): Promise<(inputs: PodPlanInputs) => PodPlan | Promise<PodPlan>> {
  switch (isolation.kind) {
    case 'ns':
      return planPod
    case 'fly':
      return (await import('./fly/plan-pod.ts')).planPod
    case 'oci':
      return (await import('./oci/plan-pod.ts')).planPod
    case 'kvm':
      return (await import('./kvm/plan-pod.ts')).planPod
    default:
      return unreachable(isolation)
  }
}

/**
 * The options of a start as the flavour has them: `fly` has the host's network, IPC objects and name.
 *
 * @throws RktError `usage` for a network that the flavour cannot give.
 */
export function runtimeFor(isolation: Isolation, runtime: RuntimeOptions): RuntimeOptions {
  if (isolation.kind !== 'fly') return runtime
  const { net } = runtime
  const own = net.kind === 'none' || (net.kind === 'networks' && net.names.some(({ name }) => name !== 'default'))
  if (own) throw new RktError('usage', 'cannot give the pod a network of its own: isolation "fly" leaves it on that of the host; expected --net=host')
  return { ...runtime, net: { kind: 'host' }, ipc: 'parent', hostname: readFileSync('/proc/sys/kernel/hostname', 'utf8').trim() }
}
