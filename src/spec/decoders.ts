import { parseImageID, quote, type ImageID } from '../base/index.ts'
import { asObject, element, fault, kindOf, member, type At, type Decoder } from './decode.ts'
import { acIdentifierWanted, acNameWanted, asACIdentifier, asACName, type ACIdentifier, type ACName } from './names.ts'

interface RequiredField<T> {
  readonly decode: Decoder<T>
  /** Present when a missing member, or null, stands for a value. */
  readonly fallback?: () => T
}

interface OptionalField<T> {
  readonly decode: Decoder<T>
  readonly optional: true
}

type Field = RequiredField<unknown> | OptionalField<unknown>

type Decoded<F extends Record<string, Field>> = {
  readonly [K in keyof F as F[K] extends { readonly optional: true } ? never : K]: F[K] extends { readonly decode: Decoder<infer T> } ? T : never
} & {
  readonly [K in keyof F as F[K] extends { readonly optional: true } ? K : never]?: F[K] extends { readonly decode: Decoder<infer T> } ? T : never
}

/** A member that must be there. */
export function required<T>(decode: Decoder<T>): RequiredField<T> {
  return { decode }
}

/** A member that is left out of the result when it is missing or null. */
export function optional<T>(decode: Decoder<T>): OptionalField<T> {
  return { decode, optional: true }
}

/** A member that stands for `fallback()` when it is missing or null. */
export function orElse<T>(decode: Decoder<T>, fallback: () => T): RequiredField<T> {
  return { decode, fallback }
}

/**
 * An object with the given members; others are ignored, as in the original, except those that differ from a known one in the case
 * of letters only: Go's reader takes them for the known one, so two readers would see two documents.
 */
export function object<F extends Record<string, Field>>(fields: F): Decoder<Decoded<F>> {
  const folded = new Map(Object.keys(fields).map((name) => [fold(name), name]))
  return (at) => {
    const source = asObject(at.value)
    if (source === undefined) return fault(at, `${kindOf(at.value)}; expected an object`)
    const before = at.faults.length
    for (const key of Object.keys(source)) {
      const known = folded.get(fold(key))
      if (known !== undefined && known !== key) fault(member(at, key, undefined), `ambiguous member; expected it to be written "${known}"`)
    }
    const entries = Object.entries(fields).flatMap(([name, field]): [string, unknown][] => {
      const value = Object.hasOwn(source, name) ? (source[name] ?? undefined) : undefined
      const there = member(at, name, value)
      if (value !== undefined) return [[name, field.decode(there)]]
      if ('optional' in field) return []
      if (field.fallback !== undefined) return [[name, field.fallback()]]
      fault(there, 'missing')
      return []
    })
    if (at.faults.length > before) return undefined
    // SAFETY: every required member was decoded without a fault, optional ones are there or not.
    return Object.fromEntries(entries) as Decoded<F>
  }
}

/** SPEC: encoding/json of Go folds member names by simple Unicode folding. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase()
}

/** An array of which every element is decoded. */
export function list<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (at) => {
    if (!Array.isArray(at.value)) return fault(at, `${kindOf(at.value)}; expected an array`)
    const before = at.faults.length
    const result: T[] = []
    for (const [index, value] of at.value.entries()) {
      const item = decode(element(at, index, value))
      if (item !== undefined) result.push(item)
    }
    return at.faults.length > before ? undefined : result
  }
}

interface UniqueListOptions<T> {
  readonly key: (item: T) => string
  readonly problem: (key: string) => string
}

/** As `list`, with a fault for each element whose key is already in the list. */
export function uniqueList<T>(decode: Decoder<T>, options: UniqueListOptions<T>): Decoder<readonly T[]> {
  return (at) => {
    const items = list(decode)(at)
    if (items === undefined) return undefined
    const seen = new Set<string>()
    const before = at.faults.length
    for (const [index, item] of items.entries()) {
      const key = options.key(item)
      if (seen.has(key)) fault(element(at, index, item), options.problem(key))
      seen.add(key)
    }
    return at.faults.length > before ? undefined : items
  }
}

/** An object whose members are all strings. */
export const textMap: Decoder<Readonly<Record<string, string>>> = (at) => {
  const source = asObject(at.value)
  if (source === undefined) return fault(at, `${kindOf(at.value)}; expected an object of strings`)
  const before = at.faults.length
  const entries = Object.entries(source).flatMap(([key, value]): [string, string][] => {
    const decoded = text(member(at, key, value))
    return decoded === undefined ? [] : [[key, decoded]]
  })
  return at.faults.length > before ? undefined : Object.fromEntries(entries)
}

export const text: Decoder<string> = (at) => (typeof at.value === 'string' ? at.value : fault(at, `${kindOf(at.value)}; expected a string`))

export const flag: Decoder<boolean> = (at) => (typeof at.value === 'boolean' ? at.value : fault(at, `${kindOf(at.value)}; expected true or false`))

/** A string for which `accept` holds. */
export function textWhere(accept: (value: string) => boolean, wanted: string): Decoder<string> {
  return textAs((value) => (accept(value) ? value : undefined), wanted)
}

/** A string that `make` turns into something more exact. */
export function textAs<T>(make: (value: string) => T | undefined, wanted: string): Decoder<T> {
  return (at) => {
    const value = text(at)
    if (value === undefined) return undefined
    return make(value) ?? fault(at, `${quoteShort(value)}; expected ${wanted}`)
  }
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): Decoder<number> {
  return (at) => {
    const value = at.value
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    const found = typeof value === 'number' ? String(value) : kindOf(value)
    return fault(at, `${found}; expected a whole number from ${least} to ${most}`)
  }
}

export const acName: Decoder<ACName> = textAs(asACName, `an AC name: ${acNameWanted}`)
export const acIdentifier: Decoder<ACIdentifier> = textAs(asACIdentifier, `an AC identifier: ${acIdentifierWanted}`)
export const imageID: Decoder<ImageID> = textAs(asImageID, 'sha512- and 64 to 128 hexadecimal digits')

/** Text that can be handed to the kernel: without NUL. */
export const plainText: Decoder<string> = textWhere((value) => !value.includes('\0'), 'text without NUL')
export const filledText: Decoder<string> = textWhere((value) => value !== '' && !value.includes('\0'), 'text that is not empty and has no NUL')
export const absolutePath: Decoder<string> = textWhere((value) => value.startsWith('/') && !value.includes('\0'), 'an absolute path')

/** Applies a further check to what was decoded. */
export function checked<T>(decode: Decoder<T>, check: (value: T, at: At) => void): Decoder<T> {
  return (at) => {
    const before = at.faults.length
    const value = decode(at)
    if (value !== undefined) check(value, at)
    return at.faults.length > before ? undefined : value
  }
}

function asImageID(value: string): ImageID | undefined {
  return /^sha512-[0-9a-f]{64,128}$/.test(value) ? parseImageID(value) : undefined
}

function quoteShort(value: string): string {
  return quote(value.length > 80 ? `${value.slice(0, 80)}…` : value)
}
