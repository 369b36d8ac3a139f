import { escapeText, RktError } from '../../base/index.ts'
import type { Flag } from '../table/types.ts'

export interface FlagWord {
  readonly flag: Flag
  readonly value: string
  /** Index of the first word after the flag and its value. */
  readonly next: number
}

/** Whether a word is a flag; `-` alone is an argument, as is the empty word. */
export function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith('-')
}

/**
 * Reads the flag at `words[at]`: `--name`, `--name=value`, `--name value`, or `-h`.
 *
 * @throws RktError `usage` for a flag that `find` does not know, or that lacks its value.
 */
export function readFlag(words: readonly string[], at: number, find: (name: string) => Flag | undefined): FlagWord {
  const word = words[at] ?? ''
  const [, dashes = '', name = '', assigned] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  if (dashes === '-' && name !== 'h') {
    throw new RktError('usage', `unknown shorthand flag: '${[...name][0] ?? ''}' in ${escapeText(word)}`, { hint: `write flags with two dashes` })
  }
  const flag = find(dashes === '-' ? 'help' : name)
  if (flag === undefined) throw new RktError('usage', `unknown flag: --${escapeText(name)}`)
  if (assigned !== undefined) return { flag, value: assigned, next: at + 1 }
  const bare = flag.type === 'bool' ? 'true' : flag.bare
  if (bare !== undefined) return { flag, value: bare, next: at + 1 }
  const value = words[at + 1]
  if (value === undefined) throw new RktError('usage', `flag needs an argument: --${name}`)
  return { flag, value, next: at + 2 }
}
