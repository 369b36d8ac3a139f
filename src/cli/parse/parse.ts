import { escapeText, quote, RktError } from '../../base/index.ts'
import type { Command, Flag } from '../table/types.ts'
import { addBeforeApps, parseApps } from './apps.ts'
import { FlagValues } from './flag-values.ts'
import type { Request } from './invocation.ts'
import { isFlag, readFlag, type FlagWord } from './read-flag.ts'

/** A command line of which the verb is known, and nothing else looked at. */
export interface Located {
  readonly root: Command
  readonly command: Command
  readonly path: readonly string[]
  /** Flags before the verb. */
  readonly early: readonly FlagWord[]
  /** The words after the verb. */
  readonly words: readonly string[]
}

/**
 * Finds the verb; a unique prefix of its name is enough, and flags of any verb may stand before it.
 *
 * @throws RktError `usage` for an unknown command, or an unknown flag before it.
 */
export function locateCommand(words: readonly string[], root: Command): Located {
  const early: FlagWord[] = []
  const path: string[] = []
  let command = root
  let at = 0
  while (command.commands !== undefined && at < words.length) {
    const word = words[at] ?? ''
    if (isFlag(word) && word !== '--') {
      const read = readFlag(words, at, (name) => findFlag(root, name))
      early.push(read)
      at = read.next
    } else {
      command = findCommand(command, word)
      path.push(command.name)
      at += 1
    }
  }
  return { root, command, path, early, words: words.slice(at) }
}

/**
 * Reads everything that stands beside the verb.
 *
 * @throws RktError `usage`.
 */
export function parseLocated({ words, early, command, root, path }: Located): Request {
  if (early.some((read) => read.flag.name === 'help')) return { kind: 'help', command, path }
  if (command.load === undefined) return { kind: 'missing', command, path }
  const flags = new FlagValues([...command.flags, ...root.flags])
  const podMounts: string[] = []
  for (const read of early) {
    const { name } = read.flag
    const own = flags.find(name)
    if (own !== undefined) flags.add(own, read.value)
    else if (command.appFlags?.some((flag) => flag.name === name) === true) addBeforeApps(podMounts, read)
    else throw new RktError('usage', `unknown flag: --${escapeText(name)}`)
  }
  const rest =
    command.grammar === 'apps'
      ? { words: [], ...parseApps(words, command, flags) }
      : { apps: [], podMounts: [], ...parseWords(words, command.grammar === 'leading', flags) }
  if (rest.help) return { kind: 'help', command, path }
  return {
    kind: 'run',
    invocation: { root, command, path, flags, words: rest.words, apps: rest.apps, podMounts: [...podMounts, ...rest.podMounts] },
  }
}

/** Reads a command line with the command table. */
export function parseCommandLine(words: readonly string[], root: Command): Request {
  return parseLocated(locateCommand(words, root))
}

function parseWords(words: readonly string[], leading: boolean, flags: FlagValues): { words: string[]; help: boolean } {
  const found: string[] = []
  let at = 0
  while (at < words.length) {
    const word = words[at] ?? ''
    if (word === '--') return { words: [...found, ...words.slice(at + 1)], help: false }
    if (isFlag(word)) {
      const read = readFlag(words, at, (name) => flags.find(name))
      if (read.flag.name === 'help') return { words: found, help: true }
      flags.add(read.flag, read.value)
      at = read.next
    } else {
      if (leading) return { words: [...found, ...words.slice(at)], help: false }
      found.push(word)
      at += 1
    }
  }
  return { words: found, help: false }
}

/** The subcommand that `word` names, or is a unique prefix of. */
export function findCommand(parent: Command, word: string): Command {
  const commands = parent.commands ?? []
  const exact = commands.find((command) => command.name === word)
  if (exact !== undefined) return exact
  const matches = word === '' ? [] : commands.filter((command) => command.hidden !== true && command.name.startsWith(word))
  const [only] = matches
  if (only !== undefined && matches.length === 1) return only
  throw new RktError('usage', `unknown command ${quote(word)} for ${quote(parent.name)}`, {
    hint: matches.length > 1 ? `it may be ${matches.map((command) => command.name).join(' or ')}` : `run "rkt help" for the list of commands`,
  })
}

/** The flag of that name of any command: before the verb is known, only whether it takes the next word matters. */
function findFlag(command: Command, name: string): Flag | undefined {
  const own = command.flags.find((flag) => flag.name === name) ?? command.appFlags?.find((flag) => flag.name === name)
  if (own !== undefined) return own
  for (const child of command.commands ?? []) {
    const found = findFlag(child, name)
    if (found !== undefined) return found
  }
  return undefined
}
