import type { LogLimits } from './log-place.ts'
import type { DnsRequest, HostsRequest, NetRequest } from '../network/index.ts'

/** Protections that the user took away for this run. */
export interface InsecureRun {
  readonly capabilities: boolean
  readonly paths: boolean
  readonly seccomp: boolean
}

/** How a pod is to be run; not part of its manifest. Kept in the pod directory as `runtime-config`. */
export interface RuntimeOptions {
  readonly net: NetRequest
  readonly dns: DnsRequest
  readonly hosts: HostsRequest
  readonly hostname: string
  readonly ipc: 'private' | 'parent'
  /** The one app of the pod gets the caller's terminal or standard input. */
  readonly interactive: boolean
  readonly insecure: InsecureRun
  readonly debug: boolean
  readonly logs: LogLimits
  /** Apps ask the metadata service about their pod. */
  readonly mdsRegister: boolean
  /** What apps find as AC_METADATA_URL, once the pod has registered. It is a secret of the pod, and not written to `runtime-config`. */
  readonly metadataUrl?: string
  /** The launcher removes the pod directory when the pod has ended. */
  readonly removeAtEnd: boolean
}
