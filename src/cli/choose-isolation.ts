import { existsSync } from 'node:fs'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { quote, RktError } from '../base/index.ts'
import { type Isolation, parseIsolation } from '../spec/index.ts'
import type { Stage1Setting } from './config/stage1.ts'
import type { Context } from './context.ts'
import type { FlagValues } from './parse/flag-values.ts'

/** The isolation that the original's stage1 images give, by the last part of their names. */
const stage1Names: ReadonlyMap<string, Isolation> = new Map([
  ['stage1-coreos', { kind: 'ns' }],
  ['stage1-host', { kind: 'ns' }],
  ['stage1-src', { kind: 'ns' }],
  ['stage1-ns', { kind: 'ns' }],
  ['stage1-fly', { kind: 'fly' }],
  ['stage1-kvm', { kind: 'kvm' }],
])

/** Names of those images, with and without version. */
const publisher = 'coreos.com/rkt/'

const choosing = ['isolation', 'stage1-url', 'stage1-path', 'stage1-name', 'stage1-hash', 'stage1-from-dir'] as const

/**
 * How a new pod is to be kept apart: what a flag says, else the configuration, else namespaces.
 *
 * @throws RktError `usage` for several such flags, `unsupported` for a stage1 image that is not one of ours.
 */
export async function chooseIsolation(flags: FlagValues, context: Context): Promise<Isolation> {
  const [first, second] = choosing.filter((name) => flags.given(name))
  if (first !== undefined && second !== undefined) throw new RktError('usage', `flags --${first} and --${second} are mutually exclusive`)
  if (first === undefined) return configured(context)
  if (flags.list(first).length > 1) throw new RktError('usage', `--${first} already used`)
  const value = flags.text(first) ?? ''
  if (first === 'isolation') return parseIsolation(value)
  if (first === 'stage1-name') return named(value) ?? foreign(`image ${quote(value)}`)
  if (first === 'stage1-from-dir') return fromDirectory(value, context)
  if (first === 'stage1-path') return ours(resolve(context.cwd, value)) ?? foreign(`file ${quote(value)}`)
  return foreign(`--${first}=${value}`)
}

async function configured({ config }: Context): Promise<Isolation> {
  const directories = [config.system, config.local, config.user].flatMap((directory) => directory ?? [])
  if (!directories.some((directory) => existsSync(join(directory, 'stage1.d')))) return { kind: 'ns' }
  const [{ mergeKind }, { stage1Kind }] = await Promise.all([import('./config/merge.ts'), import('./config/stage1.ts')])
  const settings = [...mergeKind(config, stage1Kind).values()]
  if (settings.length === 0) return { kind: 'ns' }
  for (const setting of settings) {
    const isolation = setting.kind === 'image' ? named(setting.name) : located(setting.location)
    if (isolation !== undefined) return isolation
  }
  return foreign(`${describe(settings)} of the configuration`)
}

function describe(settings: readonly Stage1Setting[]): string {
  const [setting] = settings
  if (setting === undefined) return 'stage1'
  return setting.kind === 'image' ? `image ${quote(setting.name)}` : `location ${quote(setting.location)}`
}

/** `coreos.com/rkt/stage1-fly`, with or without `:version` or labels. */
function named(text: string): Isolation | undefined {
  const name = text.split(/[:,]/, 1)[0] ?? ''
  return name.startsWith(publisher) ? stage1Names.get(name.slice(publisher.length)) : undefined
}

/** The directory is that of the configuration's `stage1-images`: a file that somebody put there is an image of theirs, not what is built in. */
async function fromDirectory(name: string, { config }: Context): Promise<Isolation> {
  const { configuredStage1Images } = await import('./config/paths.ts')
  const directory = configuredStage1Images(config)
  if (directory === undefined) return fromFile(name) ?? foreign(`file ${quote(name)}`)
  const path = join(directory, name)
  return (existsSync(path) ? undefined : fromFile(name)) ?? foreign(`file ${quote(path)}`)
}

function fromFile(name: string): Isolation | undefined {
  return stage1Names.get(name.replace(/\.aci$/, ''))
}

/** A location on a server is always an image of its publisher's. */
function located(location: string): Isolation | undefined {
  const path = location.replace(/^file:\/\//, '')
  return isAbsolute(path) ? ours(path) : undefined
}

/** A packaged image of the original, which is no file here: what it stood for is built in. */
function ours(path: string): Isolation | undefined {
  return existsSync(path) ? undefined : fromFile(basename(path))
}

function foreign(what: string): never {
  throw new RktError('unsupported', `cannot use ${what} as stage1: only the built-in ones can be used`, {
    hint: 'give --isolation=fly, ns, kvm or oci:RUNTIME; rkt isolation tells what this host can do',
  })
}
