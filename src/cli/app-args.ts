import { quote, RktError } from '../base/index.ts'
import { type AppArgs, streamAnnotation } from '../pod/index.ts'
import { asACIdentifier, asACName, isEnvironmentName, parseMountFlag, parseSupplementaryGIDs, type Annotation, type EnvironmentVariable, type PodManifest } from '../spec/index.ts'
import type { FlagValues } from './parse/flag-values.ts'
import type { AppWords } from './parse/invocation.ts'

type Overrides = Omit<AppArgs, 'image'>

/**
 * What the command line says of one app.
 *
 * @throws RktError `usage`.
 */
export function readAppFlags({ flags, args }: AppWords): Overrides {
  const [name, exec, user, group] = [said(flags, 'name'), said(flags, 'exec'), said(flags, 'user'), said(flags, 'group')]
  const [workingDirectory, gids] = [said(flags, 'working-dir'), flags.text('supplementary-gids')]
  if (workingDirectory !== undefined && !workingDirectory.startsWith('/')) {
    throw new RktError('usage', `cannot use --working-dir=${quote(workingDirectory)}: expected an absolute path`)
  }
  return {
    args: args ?? [],
    ...(name === undefined ? {} : { name: readName(name) }),
    ...(exec === undefined ? {} : { exec }),
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(gids === undefined ? {} : { supplementaryGIDs: parseSupplementaryGIDs(gids) }),
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
    ...(flags.given('readonly-rootfs') ? { readOnlyRootFS: flags.bool('readonly-rootfs') } : {}),
    mounts: flags.list('mount').map(parseMountFlag),
    environment: readEnvironment(flags.list('environment')),
    annotations: [...readAnnotations(flags.list('annotation')), ...readStreamFlags(flags)],
    userAnnotations: Object.fromEntries(flags.list('user-annotation').map((text) => splitPair('user-annotation', text))),
    userLabels: Object.fromEntries(flags.list('user-label').map((text) => splitPair('user-label', text))),
    isolators: readIsolatorFlags(flags),
  }
}

/** The value of a flag that overrides the image's own; an empty one overrides nothing, as in the original. */
function said(flags: FlagValues, name: string): string | undefined {
  const text = flags.text(name)
  return text === '' ? undefined : text
}

function readIsolatorFlags(flags: FlagValues): AppArgs['isolators'] {
  const [memory, cpu, seccomp] = [flags.text('memory'), flags.text('cpu'), flags.text('seccomp')]
  const [cpuShares, oomScoreAdj] = [flags.int('cpu-shares'), flags.int('oom-score-adj')]
  const capsRetain = flags.text('caps-retain') ?? flags.text('cap-retain')
  const capsRemove = flags.text('caps-remove') ?? flags.text('cap-remove')
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(cpuShares === undefined ? {} : { cpuShares }),
    ...(capsRetain === undefined ? {} : { capsRetain }),
    ...(capsRemove === undefined ? {} : { capsRemove }),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
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

/** What `rkt app sandbox` says of the pod itself. */
export function readPodAnnotations(flags: FlagValues): Pick<PodManifest, 'annotations' | 'userAnnotations' | 'userLabels'> {
  return {
    annotations: readAnnotations(flags.list('annotation')),
    userAnnotations: Object.fromEntries(flags.list('user-annotation').map((text) => splitPair('user-annotation', text))),
    userLabels: Object.fromEntries(flags.list('user-label').map((text) => splitPair('user-label', text))),
  }
}

function readStreamFlags(flags: FlagValues): Annotation[] {
  return (['stdin', 'stdout', 'stderr'] as const).flatMap((stream) => {
    const mode = said(flags, stream)
    return mode === undefined ? [] : [streamAnnotation(stream, mode)]
  })
}

function splitPair(flag: string, text: string): [key: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new RktError('usage', `cannot use --${flag}=${quote(text)}: must be specified as key=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}
