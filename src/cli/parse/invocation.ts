import type { Command } from '../table/types.ts'
import type { FlagValues } from './flag-values.ts'

/** One image of the command line, with what was said of it. */
export interface AppWords {
  readonly image: string
  readonly flags: FlagValues
  /** What stood between `--` and `---`; undefined without `--`. */
  readonly args: readonly string[] | undefined
}

/** A command line that the table admits. */
export interface Invocation {
  readonly root: Command
  readonly command: Command
  /** Names from the root on, without it: `['image', 'list']`. */
  readonly path: readonly string[]
  /** The command's own flags and the global ones. */
  readonly flags: FlagValues
  /** Arguments of a verb whose grammar is not `apps`. */
  readonly words: readonly string[]
  readonly apps: readonly AppWords[]
  /** `--mount` before the first image: into every app. */
  readonly podMounts: readonly string[]
}

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly command: Command; readonly path: readonly string[] }
  | { readonly kind: 'missing'; readonly command: Command; readonly path: readonly string[] }
