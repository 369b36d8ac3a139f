import type { Isolator } from '../../spec/index.ts'

/** Controllers by the names of version 2; `io` is `blkio` in version 1. */
export type Controller = 'pids' | 'memory' | 'cpu' | 'io'

/** One value for one file of a group. */
export interface Limit {
  readonly controller: Controller
  readonly file: string
  readonly value: string
}

export interface LimitOptions {
  /** `MAJOR:MINOR` of the disks that block limits hold for. */
  readonly disks: readonly string[]
}

/** Processes and threads that one app may have. */
export const taskLimit: Limit = { controller: 'pids', file: 'pids.max', value: '2048' }

/** What isolators become in the files of version 1 controllers. */
export function limitsVersion1(isolators: readonly Isolator[], { disks }: LimitOptions): Limit[] {
  const { memoryBytes, quotaUs, shares, bytesPerSecond, operationsPerSecond } = wanted(isolators)
  const perDisk = (unit: string, value: number | undefined): Limit[] =>
    value === undefined ? [] : ['read', 'write'].flatMap((way) => disks.map((disk) => ({ controller: 'io', file: `blkio.throttle.${way}_${unit}_device`, value: `${disk} ${value}` })))
  return [
    ...limit('memory', 'memory.limit_in_bytes', memoryBytes),
    ...limit('cpu', 'cpu.cfs_quota_us', quotaUs),
    ...limit('cpu', 'cpu.shares', shares),
    ...perDisk('bps', bytesPerSecond),
    ...perDisk('iops', operationsPerSecond),
  ]
}

/** What isolators become in the files of version 2 controllers. */
export function limitsVersion2(isolators: readonly Isolator[], { disks }: LimitOptions): Limit[] {
  const { memoryBytes, quotaUs, shares, bytesPerSecond, operationsPerSecond } = wanted(isolators)
  // SPEC: the mapping of shares 2…262144 to weights 1…10000 that OCI runtimes use.
  const weight = shares === undefined ? undefined : 1 + Math.floor(((shares - 2) * 9999) / 262142)
  const both = (unit: string, value: number | undefined): string => (value === undefined ? '' : ` r${unit}=${value} w${unit}=${value}`)
  const io = both('bps', bytesPerSecond) + both('iops', operationsPerSecond)
  return [
    ...limit('memory', 'memory.max', memoryBytes),
    ...limit('cpu', 'cpu.max', quotaUs === undefined ? undefined : `${quotaUs} 100000`),
    ...limit('cpu', 'cpu.weight', weight),
    ...(io === '' ? [] : disks.map((disk): Limit => ({ controller: 'io', file: 'io.max', value: `${disk}${io}` }))),
  ]
}

/** The controller that an isolator needs; undefined for one that is no limit of a control group, or sets none. */
export function controllerOf(isolator: Isolator): Controller | undefined {
  switch (isolator.kind) {
    case 'memory':
      return isolator.limitBytes === undefined ? undefined : 'memory'
    case 'cpu':
      return isolator.limitMillis === undefined ? undefined : 'cpu'
    case 'cpu-shares':
      return 'cpu'
    case 'block-bandwidth':
      return isolator.bytesPerSecond === undefined ? undefined : 'io'
    case 'block-iops':
      return isolator.operationsPerSecond === undefined ? undefined : 'io'
    default:
      return undefined
  }
}

function limit(controller: Controller, file: string, value: string | number | undefined): Limit[] {
  return value === undefined ? [] : [{ controller, file, value: String(value) }]
}

interface Wanted {
  readonly memoryBytes?: number
  readonly quotaUs?: number
  readonly shares?: number
  readonly bytesPerSecond?: number
  readonly operationsPerSecond?: number
}

/** Of several isolators of a kind the last one counts. */
function wanted(isolators: readonly Isolator[]): Wanted {
  const found: { -readonly [K in keyof Wanted]: Wanted[K] } = {}
  for (const isolator of isolators) {
    if (isolator.kind === 'memory' && isolator.limitBytes !== undefined) found.memoryBytes = isolator.limitBytes
    // The period is 100 ms; the kernel's least quota 1 ms.
    if (isolator.kind === 'cpu' && isolator.limitMillis !== undefined) found.quotaUs = Math.max(1000, Math.round(isolator.limitMillis * 100))
    if (isolator.kind === 'cpu-shares') found.shares = isolator.shares
    if (isolator.kind === 'block-bandwidth' && isolator.bytesPerSecond !== undefined) found.bytesPerSecond = isolator.bytesPerSecond
    if (isolator.kind === 'block-iops' && isolator.operationsPerSecond !== undefined) found.operationsPerSecond = isolator.operationsPerSecond
  }
  return found
}
