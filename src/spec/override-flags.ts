import { quote, RktError } from '../base/index.ts'
import type { Fault } from './decode.ts'
import type { Isolator, IsolatorKind } from './isolator.ts'
import { isolator } from './isolators.ts'
import { parseWholeNumber } from './parameters.ts'
import { parseQuantity } from './quantity.ts'
import { maxID } from './volume.ts'

/** An app that may use less memory than a page is a slip of the pen: `16m` is 16 thousandths of a byte. */
const leastMemory = 4096

/**
 * The isolator for `--caps-retain` or `--caps-remove`: names of capabilities with commas between, in capitals or small letters.
 *
 * @throws RktError `usage` for a word that cannot name a capability.
 */
export function parseCapabilitiesFlag(text: string, options: { readonly mode: 'retain' | 'remove' }): Isolator {
  const set = text.split(',').map((name) => name.trim().toUpperCase())
  const bad = set.find((name) => !/^CAP_[A-Z0-9_]+$/.test(name))
  if (bad !== undefined) {
    throw new RktError('usage', `cannot use --caps-${options.mode} ${quote(text)}: ${quote(bad)} is no capability; expected names such as CAP_NET_ADMIN`)
  }
  return makeIsolator(`os/linux/capabilities-${options.mode}-set`, { set })
}

/**
 * The isolator for `--seccomp`: `mode=retain|remove[,errno=EPERM],CALL,…` in any order.
 *
 * @throws RktError `usage` with the original's words.
 */
export function parseSeccompFlag(text: string): Isolator {
  const set: string[] = []
  let mode: string | undefined
  let errno: string | undefined
  for (const part of text.split(',')) {
    if (part.startsWith('mode=') && mode === undefined) mode = part.slice('mode='.length)
    else if (part.startsWith('errno=') && errno === undefined) errno = part.slice('errno='.length)
    else if (/^@?[a-z0-9_./-]+$/.test(part)) set.push(part)
    else throw new RktError('usage', `invalid seccomp command-line override: ${quote(part)}; expected mode=retain|remove[,errno=NAME],CALL,...`)
  }
  if (mode !== 'retain' && mode !== 'remove') {
    throw new RktError('usage', `invalid seccomp mode command-line override: ${quote(mode ?? '')}; expected mode=retain or mode=remove`)
  }
  try {
    return makeIsolator(`os/linux/seccomp-${mode}-set`, { set, errno: errno ?? '' })
  } catch (cause) {
    if (!(cause instanceof RktError)) throw cause
    throw new RktError('usage', `invalid seccomp command-line override: ${cause.message}`, { cause })
  }
}

/**
 * The isolator for `--memory`, such as `16M` or `1Gi`.
 *
 * @throws RktError `usage` when it is no quantity or less than 4096 bytes.
 */
export function parseMemoryFlag(text: string): Isolator {
  const { units } = parseQuantity(text)
  if (units < leastMemory) throw new RktError('usage', `memory limit of ${units} bytes too low. Try a reasonable value, such as --memory=16M`)
  return makeIsolator('resource/memory', { default: false, request: text, limit: text })
}

/**
 * The isolator for `--cpu`, such as `500m` or `2`.
 *
 * @throws RktError `usage` when it is no quantity, or nothing.
 */
export function parseCpuFlag(text: string): Isolator {
  if (parseQuantity(text).millis === 0) throw new RktError('usage', `cannot use --cpu ${quote(text)}: no time at all; expected a quantity such as 500m`)
  return makeIsolator('resource/cpu', { default: false, request: text, limit: text })
}

/** @throws RktError `usage` unless `text` is a number from 2 to 262144. */
export function parseCpuSharesFlag(text: string): Isolator {
  return makeIsolator('os/linux/cpu-shares', parseWholeNumber(text))
}

/** @throws RktError `usage` unless `text` is a number from -1000 to 1000. */
export function parseOomScoreAdjFlag(text: string): Isolator {
  return makeIsolator('os/linux/oom-score-adj', parseWholeNumber(text))
}

/**
 * Group ids with commas between.
 *
 * @throws RktError `usage` for anything that is no group id.
 */
export function parseSupplementaryGIDs(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const gid = /^[0-9]{1,10}$/.test(part) ? Number(part) : undefined
    if (gid === undefined || gid > maxID) {
      throw new RktError('usage', `cannot use --supplementary-gids ${quote(text)}: ${quote(part)} is no group id; expected numbers up to ${maxID}`)
    }
    return gid
  })
}

const families: readonly (readonly IsolatorKind[])[] = [
  ['capabilities-retain', 'capabilities-remove'],
  ['seccomp-retain', 'seccomp-remove'],
]

/** The isolators of an image with `replacement` instead of all those that speak of the same thing. */
export function replaceIsolator(isolators: readonly Isolator[], replacement: Isolator): readonly Isolator[] {
  const replaced = families.find((family) => family.includes(replacement.kind)) ?? [replacement.kind]
  return [...isolators.filter((one) => !replaced.includes(one.kind)), replacement]
}

/**
 * An isolator of the given name and JSON value, checked as one in a manifest is.
 *
 * @throws RktError `usage` with what is wrong.
 */
export function makeIsolator(name: string, value: unknown): Isolator {
  const faults: Fault[] = []
  const made = isolator({ value: { name, value }, path: '$', faults })
  if (made !== undefined) return made
  throw new RktError('usage', faults.map(({ problem }) => `cannot use ${name}: ${problem}`).join('; '))
}
