import { isAbsolute, normalize } from 'node:path'
import { quote, RktError } from '../base/index.ts'
import type { PreparedApp, PreparedPod } from '../pod/index.ts'
import { valueOf } from '../spec/index.ts'
import { logFormat } from './plan/flags.ts'
import type { Operation } from './plan/operations.ts'

/** How much of an app's output is kept. */
export interface LogLimits {
  /** Of one file; 0: without limit. */
  readonly maxBytes: number
  /** With the one that is written. */
  readonly files: number
}

/** What kubelet's container runtimes keep. */
export const usualLogLimits: LogLimits = { maxBytes: 10 * 1024 * 1024, files: 5 }

const prefix = 'coreos.com/rkt/experiment'

/**
 * Where the log of an app lies: in the pod directory, or where annotations of the pod manifest put it. Those are the operator's; what an
 * image says of logs is never looked at.
 *
 * @throws RktError `invalid-manifest` for a place that is not below the log directory.
 */
export function logOperation({ manifest }: Pick<PreparedPod, 'manifest'>, app: Pick<PreparedApp, 'name' | 'runtime'>, limits: LogLimits): Operation {
  const common = { op: 'log', maxBytes: BigInt(limits.maxBytes), files: limits.files } as const
  const directory = valueOf(manifest.annotations, `${prefix}/kubernetes-log-dir`)
  const file = valueOf(app.runtime.annotations, `${prefix}/kubernetes-log-path`)
  if (valueOf(manifest.annotations, `${prefix}/logmode`) !== 'k8s-plain' || directory === undefined || file === undefined) {
    return { ...common, directory: '', file: app.name, format: logFormat.cri }
  }
  const clean = normalize(file)
  if (!isAbsolute(directory)) throw new RktError('invalid-manifest', `cannot log to ${quote(directory)}: expected an absolute path`)
  if (isAbsolute(file) || clean.startsWith('..') || clean === '.' || clean.endsWith('/')) {
    throw new RktError('invalid-manifest', `cannot log to ${quote(file)}: expected the path of a file below the log directory`)
  }
  return { ...common, directory, file: clean, format: logFormat.plain }
}
