import { RktError } from '../../base/index.ts'
import { parseBool, parseDuration } from '../duration.ts'
import type { Flag } from '../table/types.ts'

/** The flags that were given, checked against the table; values of others are the table's defaults. */
export class FlagValues {
  readonly #flags: ReadonlyMap<string, Flag>
  readonly #given = new Map<string, string[]>()

  constructor(flags: readonly Flag[]) {
    this.#flags = new Map(flags.map((flag) => [flag.name, flag]))
  }

  /** The flag of that name, if this command has it. */
  find(name: string): Flag | undefined {
    return this.#flags.get(name)
  }

  /**
   * Takes the value of a flag.
   *
   * @throws RktError `usage` when the value is not of the flag's type, or when this version does not have the feature.
   */
  add(flag: Flag, value: string): void {
    checkType(flag, value)
    if (flag.unsupported === true && !(flag.type === 'bool' && parseBool(value) === false)) {
      throw new RktError('usage', `--${flag.name} is not supported by this version`)
    }
    const values = this.#given.get(flag.name)
    if (values === undefined) this.#given.set(flag.name, [value])
    else values.push(value)
  }

  /** Whether the flag was given at all. */
  given(name: string): boolean {
    this.#flag(name)
    return this.#given.has(name)
  }

  bool(name: string): boolean {
    return parseBool(this.#last(name) ?? 'false') === true
  }

  /** The last value given, else the default, else undefined. */
  text(name: string): string | undefined {
    return this.#last(name)
  }

  /** All values given, in order. */
  list(name: string): readonly string[] {
    this.#flag(name)
    return this.#given.get(name) ?? []
  }

  int(name: string): number | undefined {
    const text = this.#last(name)
    return text === undefined ? undefined : Number(text)
  }

  /** Milliseconds. */
  duration(name: string): number | undefined {
    const text = this.#last(name)
    return text === undefined ? undefined : parseDuration(text)
  }

  #flag(name: string): Flag {
    const flag = this.#flags.get(name)
    if (flag === undefined) throw new Error(`no flag --${name} in the table of this command`)
    return flag
  }

  #last(name: string): string | undefined {
    const flag = this.#flag(name)
    return this.#given.get(name)?.at(-1) ?? flag.default
  }
}

function checkType(flag: Flag, value: string): void {
  const refuse = (wanted: string): RktError =>
    new RktError('usage', `invalid argument ${JSON.stringify(value)} for --${flag.name}=${value}: expected ${wanted}`)
  if (flag.type === 'bool' && parseBool(value) === undefined) throw refuse('true or false')
  if (flag.type === 'int' && !/^[+-]?\d{1,15}$/.test(value)) throw refuse('a whole number')
  if (flag.type === 'duration') {
    try {
      parseDuration(value)
    } catch {
      // Only the flag's own message is of use here: it names flag and value.
      throw refuse('a duration such as 90s, 30m or 1h30m')
    }
  }
}
