import { readFileSync } from 'node:fs'
import { RktError, unreachable } from '../base/index.ts'
import type { PreparedPod } from '../pod/index.ts'
import type { Isolation } from '../spec/index.ts'
import type { RuntimeOptions } from './runtime-options.ts'
import { planPod, type PodPlan, type PodPlanInputs } from './ns/plan-pod.ts'

/**
 * The planner of a pod's flavour, with what it looks for and makes before it can plan.
 *
 * @throws RktError `missing-tool` and others for what the flavour needs and the host lacks.
 */
export async function plannerOf(pod: PreparedPod, options: { readonly dataDir: string }): Promise<(inputs: PodPlanInputs) => PodPlan> {
  switch (pod.isolation.kind) {
    case 'ns':
      return planPod
    case 'fly':
      return (await import('./fly/plan-pod.ts')).planPod
    case 'oci':
      return (await import('./oci/plan-pod.ts')).planPod
    case 'kvm': {
      const { gatherMachine, planPod: planMachine } = await import('./kvm/plan-pod.ts')
      const machine = await gatherMachine(pod, options)
      return (inputs) => planMachine(inputs, machine)
    }
    default:
      return unreachable(pod.isolation)
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
