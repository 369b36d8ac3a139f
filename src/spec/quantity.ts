import { quote, RktError } from '../base/index.ts'

/** An amount as Kubernetes and appc write it, such as `16Mi`, `1G`, `250m` or `1.5`; both numbers are rounded up. */
export interface Quantity {
  /** Whole units: bytes of memory, CPUs. */
  readonly units: number
  /** Thousandths, at most `Number.MAX_SAFE_INTEGER`. */
  readonly millis: number
}

const pattern = /^\+?([0-9]{0,40})(?:\.([0-9]{0,40}))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$/

const binary: ReadonlyMap<string, bigint> = new Map(['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, index) => [suffix, 1024n ** BigInt(index + 1)]))
const decimal: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])

/** The quantity in `text`, or undefined when it is none, is negative, or is 2^53 or more. */
export function asQuantity(text: string): Quantity | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, whole = '', part = '', suffix = ''] = match
  if (whole === '' && part === '') return undefined
  const digits = BigInt(whole + part)
  const factor = binary.get(suffix)
  const exponent = (decimal.get(suffix) ?? (factor === undefined ? Number(suffix.slice(1)) : 0)) - part.length
  const scaled = digits * (factor ?? 1n)
  const units = shiftUp(scaled, exponent)
  if (units > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  const millis = shiftUp(scaled, exponent + 3)
  return { units: Number(units), millis: millis > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(millis) }
}

/** @throws RktError `usage` when `text` is not a quantity. */
export function parseQuantity(text: string): Quantity {
  const quantity = asQuantity(text)
  if (quantity === undefined) {
    throw new RktError('usage', `cannot use quantity ${quote(text)}: expected a number that is not negative with a suffix such as m, k, M, G, Ki, Mi or Gi`)
  }
  return quantity
}

/** `value` times ten to the power of `exponent`, rounded up. */
function shiftUp(value: bigint, exponent: number): bigint {
  if (exponent >= 0) return value * 10n ** BigInt(exponent)
  const divisor = 10n ** BigInt(-exponent)
  return (value + divisor - 1n) / divisor
}
