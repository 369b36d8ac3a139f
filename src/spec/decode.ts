import { quote, RktError } from '../base/index.ts'

/** One thing that is wrong with a document: where, and what is expected there. */
export interface Fault {
  /** JSON path, such as `$.app.ports[0].port`. */
  readonly path: string
  readonly problem: string
}

/** Where a decoder stands, and where it notes what is wrong. */
export interface At {
  readonly value: unknown
  readonly path: string
  readonly faults: Fault[]
}

/** Gives the typed value, or notes at least one fault and gives undefined. */
export type Decoder<T> = (at: At) => T | undefined

/** How many faults of one document are kept: a hostile array has no say in our memory. */
const maxFaults = 100
const shownFaults = 3

/** Notes a fault; gives undefined so that a decoder can end with it. */
export function fault(at: At, problem: string): undefined {
  if (at.faults.length <= maxFaults) at.faults.push({ path: at.path, problem })
  return undefined
}

/** Stands at a member of an object. */
export function member(at: At, name: string, value: unknown): At {
  const step = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${quote(name)}]`
  return { value, path: at.path + step, faults: at.faults }
}

/** Stands at an element of an array. */
export function element(at: At, index: number, value: unknown): At {
  return { value, path: `${at.path}[${index}]`, faults: at.faults }
}

/** What a value is, for messages; never its content. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value === undefined) return 'missing'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A value as an object, whose members are to be read with `Object.hasOwn` or `Object.entries` only. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  // SAFETY: every object that is not an array can be read as a record of unknown values.
  return value as Readonly<Record<string, unknown>>
}

/**
 * Runs a decoder over a whole document.
 *
 * @throws RktError `invalid-manifest` whose message has the first faults and whose cause lists them all, a line each.
 */
export function decodeDocument<T>(value: unknown, options: { readonly what: string; readonly decode: Decoder<T> }): T {
  const faults: Fault[] = []
  const result = options.decode({ value, path: '$', faults })
  if (result !== undefined && faults.length === 0) return result
  const lines = faults.map(({ path, problem }) => `${path}: ${problem}`)
  if (lines.length > maxFaults) lines.splice(maxFaults, Infinity, 'and more')
  const more = lines.length > shownFaults ? ` (and ${lines.length - shownFaults} more)` : ''
  throw new RktError('invalid-manifest', `cannot use ${options.what}: ${lines.slice(0, shownFaults).join('; ')}${more}`, {
    cause: new Error(lines.join('\n')),
  })
}
