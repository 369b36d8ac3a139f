import { RktError } from '../base/index.ts'
import { makeIsolator, parseCapabilitiesFlag, parseCpuFlag, parseMemoryFlag, parseSeccompFlag, replaceIsolator, type Isolator } from '../spec/index.ts'

/** The per-app flags that limit an app, as they were given. */
export interface IsolatorFlags {
  /** `--memory`: a quantity such as `16Mi`. */
  readonly memory?: string
  /** `--cpu`: a quantity such as `500m`. */
  readonly cpu?: string
  readonly cpuShares?: number
  /** `--caps-retain`: names separated by commas. */
  readonly capsRetain?: string
  readonly capsRemove?: string
  /** `--seccomp`: `mode=retain|remove[,errno=E],call,…`. */
  readonly seccomp?: string
  readonly oomScoreAdj?: number
}

/**
 * The isolators of an app: those of its image, except where a flag replaces all of that kind.
 *
 * @throws RktError `usage` with the original's texts.
 */
export function overrideIsolators(ofImage: readonly Isolator[], flags: IsolatorFlags): readonly Isolator[] {
  return fromFlags(flags).reduce(replaceIsolator, ofImage)
}

function fromFlags({ memory, cpu, cpuShares, capsRetain, capsRemove, seccomp, oomScoreAdj }: IsolatorFlags): readonly Isolator[] {
  if (capsRetain !== undefined && capsRemove !== undefined) {
    throw new RktError('usage', 'cannot use both --caps-retain and --caps-remove on the same image')
  }
  const given = [
    memory === undefined ? undefined : parseMemoryFlag(memory),
    cpu === undefined ? undefined : parseCpuFlag(cpu),
    cpuShares === undefined ? undefined : makeIsolator('os/linux/cpu-shares', cpuShares),
    capsRetain === undefined ? undefined : parseCapabilitiesFlag(capsRetain, { mode: 'retain' }),
    capsRemove === undefined ? undefined : parseCapabilitiesFlag(capsRemove, { mode: 'remove' }),
    seccomp === undefined ? undefined : parseSeccompFlag(seccomp),
    oomScoreAdj === undefined ? undefined : makeIsolator('os/linux/oom-score-adj', oomScoreAdj),
  ]
  return given.filter((isolator) => isolator !== undefined)
}
