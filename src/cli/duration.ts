import { RktError } from '../base/index.ts'

const unitsMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Reads a duration as Go writes it (`1h30m`, `1.5s`, `300ms`, bare `0`), in milliseconds.
 *
 * @throws RktError `usage` for anything else, also for a number without a unit.
 */
export function parseDuration(text: string): number {
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (body === '0') return 0
  let totalMs = 0
  let rest = body
  while (rest !== '') {
    const [whole, number = '', unit = ''] = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest) ?? []
    const unitMs = unitsMs[unit]
    if (whole === undefined || unitMs === undefined) throw invalid(text)
    totalMs += Number(number) * unitMs
    rest = rest.slice(whole.length)
  }
  if (body === '' || !Number.isFinite(totalMs)) throw invalid(text)
  return sign === '-' ? -totalMs : totalMs
}

function invalid(text: string): RktError {
  return new RktError('usage', `invalid duration ${JSON.stringify(text)}`, { hint: 'write it as 90s, 30m or 1h30m' })
}

/** Reads a boolean as Go does, or gives undefined. */
export function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  return undefined
}
