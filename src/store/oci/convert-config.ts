import { posix } from 'node:path'
import { quote, RktError } from '../../base/index.ts'
import { appcVersion, asACIdentifier, isEnvironmentName, parseACIdentifier, primaryGroup, signalNumber, signalText, stopSignalAnnotation, type Annotation, type App, type EnvironmentVariable, type ImageManifest, type OciConfig } from '../../spec/index.ts'
import { convertPorts, convertVolumes } from './convert-places.ts'
import { dockerAnnotations } from './docker-annotations.ts'
import type { OciRecord } from './record.ts'

export interface ConvertedConfig {
  readonly manifest: ImageManifest
  /** What could not be said in words of appc, one line each. */
  readonly warnings: readonly string[]
}

/**
 * What an OCI image runs, as an appc image manifest, by the rules of `specs/oci-images.md`. Pure.
 *
 * @throws RktError `invalid-manifest` for a user that can be none.
 */
export function convertConfig(config: OciConfig, record: OciRecord): ConvertedConfig {
  const warnings: string[] = []
  const warn = (line: string): void => void warnings.push(line)
  const { run } = config
  const app: App = {
    exec: [...run.entrypoint, ...run.cmd],
    ...convertUser(run.user),
    supplementaryGIDs: [],
    eventHandlers: [],
    workingDirectory: run.workingDir === '' ? '' : posix.join('/', run.workingDir),
    environment: convertEnvironment(run.env, warn),
    mountPoints: convertVolumes(run.volumes, warn),
    ports: convertPorts(run.exposedPorts, warn),
    isolators: [],
    userAnnotations: {},
    userLabels: {},
  }
  return {
    manifest: {
      acKind: 'ImageManifest',
      acVersion: appcVersion,
      name: record.name,
      labels: record.labels,
      app,
      annotations: convertAnnotations(config, record, warn),
      dependencies: [],
      pathWhitelist: [],
    },
    warnings,
  }
}

function convertUser(text: string): Pick<App, 'user' | 'group'> {
  if (text === '') return { user: '0', group: '0' }
  const colon = text.indexOf(':')
  const [user, group] = colon < 0 ? [text, primaryGroup] : [text.slice(0, colon), text.slice(colon + 1)]
  // A path would be taken for a file whose owner is meant, and a second colon is in no name.
  if (/[/\0]/.test(text) || user === '' || (colon >= 0 && /^$|:/.test(group))) {
    throw new RktError('invalid-manifest', `cannot use OCI config: user ${quote(text)}; expected USER or USER:GROUP`)
  }
  return { user, group }
}

/** The last value of a name counts; its place is that of the first. */
function convertEnvironment(env: readonly string[], warn: (line: string) => void): EnvironmentVariable[] {
  const variables = new Map<string, string>()
  for (const entry of env) {
    const at = entry.indexOf('=')
    const name = entry.slice(0, at)
    if (isEnvironmentName(name)) variables.set(name, entry.slice(at + 1))
    else warn(`leaving out environment variable ${quote(name)}: no name that appc allows`)
  }
  return [...variables].map(([name, value]) => ({ name, value }))
}

/** Names that mean something to us, or that appc gives a form: no label of an image gets one. */
const reserved = /^(?:appc\.io\/|coreos\.com\/|created$|authors$|homepage$|documentation$)/

function convertAnnotations(config: OciConfig, record: OciRecord, warn: (line: string) => void): Annotation[] {
  const annotations = new Map<string, string>()
  for (const [label, value] of Object.entries(config.run.labels)) {
    if (asACIdentifier(label) !== undefined && !reserved.test(label)) annotations.set(label, value)
    else warn(`leaving out label ${quote(label)}: its name is ${reserved.test(label) ? 'reserved' : 'none that appc allows'}`)
  }
  if (config.created !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(config.created)) annotations.set('created', config.created)
  if (config.author !== undefined && config.author !== '') annotations.set('authors', config.author)
  for (const [name, value] of Object.entries(dockerAnnotations(config, record))) annotations.set(name, value)
  if (config.run.stopSignal !== '') {
    const signal = signalNumber(config.run.stopSignal)
    if (signal === undefined) warn(`leaving out stop signal ${quote(config.run.stopSignal)}: Linux has none of that name`)
    else annotations.set(stopSignalAnnotation, signalText(signal))
  }
  return [...annotations].map(([name, value]) => ({ name: parseACIdentifier(name), value }))
}
