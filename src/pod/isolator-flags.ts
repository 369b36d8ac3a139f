import { quote, RktError } from '../base/index.ts'
import { type ACIdentifier, type Isolator, type IsolatorKind, parseACIdentifier, parseQuantity } from '../spec/index.ts'

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

/** Less than one page is surely a forgotten unit. */
const leastMemoryBytes = 4096

/**
 * The isolators of an app: those of its image, except where a flag replaces all of that kind.
 *
 * @throws RktError `usage` with the original's texts.
 */
export function overrideIsolators(ofImage: readonly Isolator[], flags: IsolatorFlags): Isolator[] {
  const given = fromFlags(flags)
  const replaced = new Set(given.flatMap((isolator) => familyOf(isolator.kind)))
  return [...ofImage.filter((isolator) => !replaced.has(isolator.kind)), ...given]
}

function familyOf(kind: IsolatorKind): readonly IsolatorKind[] {
  const families: readonly (readonly IsolatorKind[])[] = [
    ['capabilities-retain', 'capabilities-remove'],
    ['seccomp-retain', 'seccomp-remove'],
  ]
  return families.find((family) => family.includes(kind)) ?? [kind]
}

function fromFlags(flags: IsolatorFlags): Isolator[] {
  const isolators: Isolator[] = []
  if (flags.memory !== undefined) isolators.push(memory(flags.memory))
  if (flags.cpu !== undefined) isolators.push(cpu(flags.cpu))
  if (flags.cpuShares !== undefined) isolators.push(cpuShares(flags.cpuShares))
  isolators.push(...capabilities(flags))
  if (flags.seccomp !== undefined) isolators.push(seccomp(flags.seccomp))
  if (flags.oomScoreAdj !== undefined) isolators.push(oomScoreAdj(flags.oomScoreAdj))
  return isolators
}

function memory(text: string): Isolator {
  const limitBytes = parseQuantity(text).units
  if (limitBytes < leastMemoryBytes) {
    throw new RktError('usage', `memory limit of ${limitBytes} bytes too low. Try a reasonable value, like --memory=16M`)
  }
  return { kind: 'memory', name: name('resource/memory'), value: { limit: text }, limitBytes }
}

function cpu(text: string): Isolator {
  const limitMillis = parseQuantity(text).millis
  if (limitMillis < 1) throw new RktError('usage', `cannot use --cpu=${quote(text)}: no processor time at all; expected a quantity such as 500m`)
  return { kind: 'cpu', name: name('resource/cpu'), value: { limit: text }, limitMillis }
}

function cpuShares(shares: number): Isolator {
  if (shares < 2 || shares > 262_144) throw new RktError('usage', `cannot use --cpu-shares=${shares}: out of range; expected 2 to 262144`)
  return { kind: 'cpu-shares', name: name('os/linux/cpu-shares'), value: shares, shares }
}

function oomScoreAdj(score: number): Isolator {
  if (score < -1000 || score > 1000) throw new RktError('usage', `cannot use --oom-score-adj=${score}: out of range; expected -1000 to 1000`)
  return { kind: 'oom-score-adj', name: name('os/linux/oom-score-adj'), value: score, score }
}

function capabilities({ capsRetain, capsRemove }: IsolatorFlags): Isolator[] {
  if (capsRetain !== undefined && capsRemove !== undefined) {
    throw new RktError('usage', 'cannot use both --caps-retain and --caps-remove on the same image')
  }
  if (capsRetain !== undefined) {
    const set = capabilitySet(capsRetain)
    return [{ kind: 'capabilities-retain', name: name('os/linux/capabilities-retain-set'), value: { set }, set }]
  }
  if (capsRemove !== undefined) {
    const set = capabilitySet(capsRemove)
    return [{ kind: 'capabilities-remove', name: name('os/linux/capabilities-remove-set'), value: { set }, set }]
  }
  return []
}

function capabilitySet(text: string): string[] {
  const set = text.split(',').map((word) => word.trim())
  const bad = set.find((word) => !/^CAP_[A-Z0-9_]+$/i.test(word))
  if (bad !== undefined) throw new RktError('usage', `cannot use capability ${quote(bad)}: not a name; expected words such as CAP_NET_ADMIN, separated by commas`)
  return set.map((word) => word.toUpperCase())
}

function seccomp(text: string): Isolator {
  const words = text.split(',').map((word) => word.trim()).filter((word) => word !== '')
  const settings = words.filter((word) => word.includes('='))
  const set = words.filter((word) => !word.includes('='))
  const setting = (key: string): string | undefined => settings.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
  const mode = setting('mode')
  const errno = setting('errno')
  if (mode !== 'retain' && mode !== 'remove') throw new RktError('usage', `invalid seccomp mode command-line override ${quote(text)}: expected mode=retain or mode=remove`)
  const known = settings.length === (errno === undefined ? 1 : 2)
  if (!known || set.length === 0 || (errno !== undefined && !/^E[A-Z0-9]+$/.test(errno))) {
    throw new RktError('usage', `invalid seccomp command-line override ${quote(text)}: expected mode=MODE[,errno=ERRNO],CALL,…`)
  }
  const value = { set, ...(errno === undefined ? {} : { errno }) }
  return mode === 'retain'
    ? { kind: 'seccomp-retain', name: name('os/linux/seccomp-retain-set'), value, ...value }
    : { kind: 'seccomp-remove', name: name('os/linux/seccomp-remove-set'), value, ...value }
}

function name(text: string): ACIdentifier {
  return parseACIdentifier(text)
}
