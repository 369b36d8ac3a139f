import { RktError } from '../../base/index.ts'
import type { Command } from '../table/types.ts'
import { FlagValues } from './flag-values.ts'
import type { AppWords } from './invocation.ts'
import { isFlag, readFlag, type FlagWord } from './read-flag.ts'

export interface AppsResult {
  readonly apps: readonly AppWords[]
  readonly podMounts: readonly string[]
  readonly help: boolean
}

interface OpenApp {
  readonly image: string
  readonly flags: FlagValues
  args: string[] | undefined
}

/** Flags that may be given only once for one image. */
const onceOnly = ['exec', 'signature', 'expect-name']

/**
 * The loop over images: flags, an IMAGE, flags that belong to it, `--` arguments `---`, the next IMAGE. Flags of the command itself
 * are taken anywhere outside arguments; the empty word and a `---` outside arguments are skipped.
 *
 * @throws RktError `usage` with the original's texts.
 */
export function parseApps(words: readonly string[], command: Command, flags: FlagValues): AppsResult {
  const appFlags = new FlagValues(command.appFlags ?? [])
  const apps: OpenApp[] = []
  const podMounts: string[] = []
  let at = 0
  while (at < words.length) {
    const word = words[at] ?? ''
    const app = apps.at(-1)
    if (word === '--') {
      const end = words.indexOf('---', at)
      takeArguments(command, app, words.slice(at + 1, end === -1 ? undefined : end))
      at = end === -1 ? words.length : end + 1
    } else if (word === '' || word === '---') {
      at += 1
    } else if (isFlag(word)) {
      const read = readFlag(words, at, (name) => flags.find(name) ?? appFlags.find(name))
      if (read.flag.name === 'help') return { apps, podMounts, help: true }
      if (flags.find(read.flag.name) !== undefined) flags.add(read.flag, read.value)
      else if (app !== undefined) addToApp(app, read)
      else addBeforeApps(podMounts, read)
      at = read.next
    } else {
      apps.push({ image: word, flags: new FlagValues(command.appFlags ?? []), args: undefined })
      at += 1
    }
  }
  return { apps, podMounts, help: false }
}

/** A per-app flag that comes before every image: only `--mount` has a meaning there. */
export function addBeforeApps(podMounts: string[], read: Pick<FlagWord, 'flag' | 'value'>): void {
  if (read.flag.name !== 'mount') throw new RktError('usage', `--${read.flag.name} must follow an image`)
  podMounts.push(read.value)
}

function addToApp(app: OpenApp, read: FlagWord): void {
  const { name } = read.flag
  if (onceOnly.includes(name) && app.flags.given(name)) throw new RktError('usage', `--${name} specified multiple times for the same image`)
  app.flags.add(read.flag, read.value)
}

function takeArguments(command: Command, app: OpenApp | undefined, args: string[]): void {
  if (command.name === 'fetch') throw new RktError('usage', 'app arguments unsupported')
  if (app === undefined) throw new RktError('usage', 'an image is required before any app arguments')
  if (app.args !== undefined) throw new RktError('usage', 'only one set of app arguments allowed per image')
  app.args = args
}
