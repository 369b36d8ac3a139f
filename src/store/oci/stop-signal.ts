import { constants } from 'node:os'

/** SPEC: signal(7); the first and the last real-time signal as Linux numbers them, less the two that the C library keeps. */
const realTime = { first: 34, last: 64 }

/** `SIGINT`, `INT` or `2` as a name or, for a real-time signal, as a number; undefined for what Linux does not know. */
export function signalName(text: string): string | undefined {
  const upper = text.toUpperCase()
  const known = Object.entries(constants.signals)
  const named = known.find(([name]) => name === upper || name === `SIG${upper}`)
  if (named !== undefined) return named[0]
  const [, base, sign, offset = '0'] = /^(?:SIG)?(RTMIN|RTMAX)(?:([+-])([0-9]{1,2}))?$/.exec(upper) ?? []
  if (base !== undefined) return inRange(base === 'RTMIN' && sign !== '-' ? realTime.first + Number(offset) : base === 'RTMAX' && sign !== '+' ? realTime.last - Number(offset) : 0)
  if (!/^[0-9]{1,2}$/.test(text)) return undefined
  return known.find(([, number]) => number === Number(text))?.[0] ?? inRange(Number(text))
}

/** The number of what `signalName` gives; undefined for any other text. */
export function signalNumber(name: string): number | undefined {
  const known = new Map<string, number>(Object.entries(constants.signals))
  if (/^[0-9]{2}$/.test(name)) return Number(inRange(Number(name)))
  return known.get(name)
}

function inRange(number: number): string | undefined {
  return number >= realTime.first && number <= realTime.last ? String(number) : undefined
}
