import { quote, RktError } from '../base/index.ts'
import type { AppArgs, PodImage } from '../pod/index.ts'
import { asACIdentifier, asACName, isEnvironmentName, parseMountFlag, parseSupplementaryGIDs, type Annotation, type EnvironmentVariable } from '../spec/index.ts'
import type { FlagValues } from './parse/flag-values.ts'
import type { AppWords } from './parse/invocation.ts'

type Overrides = Omit<AppArgs, 'image'>

/**
 * What the command line says of one app.
 *
 * @throws RktError `usage`.
 */
export function readAppFlags({ flags, args }: AppWords): Overrides {
  const name = flags.text('name')
  const workingDirectory = flags.text('working-dir')
  if (workingDirectory !== undefined && !workingDirectory.startsWith('/')) {
    throw new RktError('usage', `cannot use --working-dir=${quote(workingDirectory)}: expected an absolute path`)
  }
  const gids = flags.text('supplementary-gids')
  return {
    args: args ?? [],
    ...defined('name', name === undefined ? undefined : readName(name)),
    ...defined('exec', flags.text('exec')),
    ...defined('user', flags.text('user')),
    ...defined('group', flags.text('group')),
    ...defined('supplementaryGIDs', gids === undefined ? undefined : parseSupplementaryGIDs(gids)),
    ...defined('workingDirectory', workingDirectory),
    ...(flags.given('readonly-rootfs') ? { readOnlyRootFS: flags.bool('readonly-rootfs') } : {}),
    mounts: flags.list('mount').map(parseMountFlag),
    environment: readEnvironment(flags.list('environment')),
    annotations: readAnnotations(flags.list('annotation')),
    userAnnotations: Object.fromEntries(flags.list('user-annotation').map((text) => splitPair('user-annotation', text))),
    userLabels: Object.fromEntries(flags.list('user-label').map((text) => splitPair('user-label', text))),
    isolators: readIsolatorFlags(flags),
  }
}

/** The flags of one app with its image. */
export function withImage(overrides: Overrides, image: PodImage): AppArgs {
  return { ...overrides, image }
}

function readIsolatorFlags(flags: FlagValues): AppArgs['isolators'] {
  return {
    ...defined('memory', flags.text('memory')),
    ...defined('cpu', flags.text('cpu')),
    ...defined('cpuShares', flags.int('cpu-shares')),
    ...defined('capsRetain', flags.text('caps-retain') ?? flags.text('cap-retain')),
    ...defined('capsRemove', flags.text('caps-remove') ?? flags.text('cap-remove')),
    ...defined('seccomp', flags.text('seccomp')),
    ...defined('oomScoreAdj', flags.int('oom-score-adj')),
  }
}

function readName(text: string): NonNullable<AppArgs['name']> {
  const name = asACName(text)
  if (name === undefined) throw new RktError('usage', `cannot use --name=${quote(text)}: expected lower-case letters, digits and single hyphens`)
  return name
}

function readEnvironment(values: readonly string[]): EnvironmentVariable[] {
  return values.map((text) => {
    const [name, value] = splitPair('environment', text)
    if (!isEnvironmentName(name)) throw new RktError('usage', `cannot use --environment=${quote(text)}: ${quote(name)} is no name of a variable`)
    return { name, value }
  })
}

function readAnnotations(values: readonly string[]): Annotation[] {
  return values.map((text) => {
    const [key, value] = splitPair('annotation', text)
    const name = asACIdentifier(key)
    if (name === undefined) throw new RktError('usage', `cannot use --annotation=${quote(text)}: ${quote(key)} is no name of an annotation`)
    return { name, value }
  })
}

function splitPair(flag: string, text: string): [key: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new RktError('usage', `cannot use --${flag}=${quote(text)}: must be specified as key=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** An object with the key when there is a value, and without it when not. */
function defined<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } | Record<string, never> {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })
}
