import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

export type FlagType = 'bool' | 'text' | 'list' | 'int' | 'duration'

/** One flag, as the parser, the help and the completion read it. */
export interface Flag {
  readonly name: string
  /** `list` may be given several times; `duration` is written as in Go, and read in milliseconds. */
  readonly type: FlagType
  readonly help: string
  /** Value when the flag is absent, as a user would write it. */
  readonly default?: string
  /** Value of the flag without `=`; such a flag never takes the next word. A `bool` always has `true`. */
  readonly bare?: string
  /** What the value stands for, in the usage text. */
  readonly placeholder?: string
  readonly hidden?: true
  /** The original has it, this version does not: naming it is an error, never silence. */
  readonly unsupported?: true
}

/**
 * How a verb reads the words after its name: `mixed` = flags and words in any order; `leading` = flags end at the first word;
 * `apps` = images, per-app flags, `--` and `---`.
 */
export type Grammar = 'mixed' | 'leading' | 'apps'

export interface Verb {
  /** Does what the command says and returns its exit status. */
  run(context: Context, invocation: Invocation): Promise<number>
}

/** One command or group of commands. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** What follows the name in the usage line. */
  readonly usage: string
  readonly description?: string
  readonly grammar: Grammar
  readonly flags: readonly Flag[]
  /** Flags that belong to the image before them. */
  readonly appFlags?: readonly Flag[]
  readonly hidden?: true
  /** Refused before anything else when the effective user is not root. */
  readonly root?: true
  readonly commands?: readonly Command[]
  /** Loads the module of the verb; a group has none. */
  readonly load?: () => Promise<Verb>
}
