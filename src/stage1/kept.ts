import { readFileSync, writeFileSync } from 'node:fs'
import { RktError } from '../base/index.ts'
import type { Pod } from '../pod/index.ts'
import type { CgroupFacts } from './cgroups.ts'
import type { RuntimeOptions } from './runtime-options.ts'

/** With what a pod was started: a later app must be planned with the same, whoever starts it. */
export interface KeptInputs {
  readonly runtime: RuntimeOptions
  readonly cgroups: CgroupFacts
}

const cgroupsFile = 'cgroup-facts'

export function keepInputs(pod: Pod, { runtime, cgroups }: KeptInputs): void {
  writeFileSync(pod.inside('runtime-config'), JSON.stringify(runtime), { mode: 0o640 })
  writeFileSync(pod.inside(cgroupsFile), JSON.stringify(cgroups), { mode: 0o640 })
}

/**
 * Reads them back; both files lie in a directory that only root can write to.
 *
 * @throws RktError `corrupted`.
 */
export function readKeptInputs(pod: Pod): KeptInputs {
  const runtime: unknown = JSON.parse(readFileSync(pod.inside('runtime-config'), 'utf8'))
  const cgroups: unknown = JSON.parse(readFileSync(pod.inside(cgroupsFile), 'utf8'))
  if (isRuntimeOptions(runtime) && isCgroupFacts(cgroups)) return { runtime, cgroups }
  throw new RktError('corrupted', `cannot use pod "${pod.uuid}": what it was started with cannot be read`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isKind(value: unknown, kinds: readonly string[]): boolean {
  return isRecord(value) && typeof value['kind'] === 'string' && kinds.includes(value['kind'])
}

function isRuntimeOptions(value: unknown): value is RuntimeOptions {
  if (!isRecord(value)) return false
  const { net, dns, hosts, hostname, ipc, insecure, logs } = value
  return (
    isKind(net, ['none', 'host', 'networks']) &&
    isKind(dns, ['default', 'host', 'none', 'given']) &&
    isKind(hosts, ['default', 'host', 'given']) &&
    typeof hostname === 'string' &&
    (ipc === 'private' || ipc === 'parent') &&
    isRecord(insecure) &&
    isRecord(logs) &&
    typeof logs['maxBytes'] === 'number' &&
    typeof logs['files'] === 'number'
  )
}

function isCgroupFacts(value: unknown): value is CgroupFacts {
  return isRecord(value) && isKind(value, ['v1', 'v2', 'none']) && Array.isArray(value['hierarchies'])
}
