import { mappedIdCount, RktError } from '../base/index.ts'
import { conflicts, planUserNetwork, type PortMapping, readPortRecord, resolvePorts, type UserNetwork } from '../network/index.ts'
import { openPods, type PreparedPod } from '../pod/index.ts'
import type { RuntimeOptions } from './runtime-options.ts'

/**
 * Ports of the host that are forwarded to a pod; a port whose app takes over the host's own socket is not among them.
 *
 * @throws RktError `usage` when ports are to be forwarded to a pod without a network of its own.
 */
export function forwardedPorts({ manifest, apps }: PreparedPod, { net }: Pick<RuntimeOptions, 'net'>): readonly PortMapping[] {
  if (manifest.ports.length === 0) return []
  const ports = resolvePorts(manifest.ports, apps.map(({ app }) => app)).filter(({ socketActivated }) => !socketActivated)
  if (ports.length > 0 && net.kind !== 'networks') {
    throw new RktError('usage', `cannot expose ports of the pod manifest: they do not work with '${net.kind}' networking`)
  }
  return ports
}

/** The network of an ordinary user's pod; undefined where root makes it, or none is wanted. @throws RktError as `planUserNetwork`. */
export function userNetworkOf(pod: PreparedPod, runtime: Pick<RuntimeOptions, 'net'>): UserNetwork | undefined {
  if (mappedIdCount() === undefined || runtime.net.kind !== 'networks') return undefined
  return planUserNetwork(runtime.net, { ports: forwardedPorts(pod, runtime) })
}

/** The running pod of this data directory that holds a port of the host. */
export function portOwner(dataDir: string, port: PortMapping): string | undefined {
  const pods = openPods(dataDir).list(() => undefined)
  return pods.find((pod) => {
    using closing = pod
    return closing.state === 'running' && readPortRecord(closing.inside('.'))?.ports.some((other) => conflicts(port, other)) === true
  })?.uuid
}
