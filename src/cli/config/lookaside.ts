import { quote } from '../../base/index.ts'
import type { LookasideMap } from '../../fetch/index.ts'
import { formatDockerReference, type DockerReference } from '../../spec/index.ts'
import type { ConfigDirectories } from '../context.ts'
import { checkFields, refuseFile, type ConfigFile } from './config-file.ts'
import { readContainersRegistries, scopesOf, type ContainersPlace } from './containers-registries.ts'
import { mergeKind, type ConfigKind, type Setting } from './merge.ts'

/** Where signatures of the images below a prefix are kept apart from their registry. */
export interface LookasidePlace {
  /** `HOST[:PORT][/PATH]`, compared by whole path components. */
  readonly prefix: string
  /** `https:` or `file:` URL from which they are read. */
  readonly read: string
  /** `file:` URL to which `rkt image sign` writes them; empty when there is none. */
  readonly write: string
}

/** Kind `lookaside`. */
export const lookasideKind: ConfigKind<LookasidePlace> = { name: 'lookaside', directory: 'registries.d', neighbours: ['lookaside'], read: readLookaside }

/** The places of `registries.d`, read when the first registry is asked; the longest prefix counts, and only then what is in podman's form. */
export function configuredLookaside(config: ConfigDirectories): LookasideMap {
  let places: readonly LookasidePlace[] | undefined
  const find = (reference: DockerReference): LookasidePlace | undefined => {
    places ??= [...mergeKind(config, lookasideKind).values()].toSorted((a, b) => b.prefix.length - a.prefix.length)
    const name = formatDockerReference({ host: reference.host, repository: reference.repository })
    return places.find(({ prefix }) => name === prefix || name.startsWith(`${prefix}/`))
  }
  let scopes: ReadonlyMap<string, ContainersPlace> | undefined
  const findContainers = (reference: DockerReference): ContainersPlace | undefined => {
    scopes ??= readContainersRegistries(config)
    return scopesOf(reference).map((scope) => scopes?.get(scope)).find((place) => place !== undefined)
  }
  return {
    find: (reference) => find(reference)?.read ?? findContainers(reference)?.read,
    findWrite: (reference) => (find(reference)?.write ?? findContainers(reference)?.write) || undefined,
  }
}

function readLookaside({ path, fields }: ConfigFile): readonly Setting<LookasidePlace>[] {
  checkFields(path, { object: fields, known: ['prefixes', 'read', 'write'] })
  const { prefixes, read, write = '' } = fields
  if (typeof read !== 'string' || !isPlace(read, ['https:', 'http:', 'file:'])) throw refuseFile(path, '"read" is no https: or file: URL without a user')
  if (typeof write !== 'string' || (write !== '' && !isPlace(write, ['file:']))) throw refuseFile(path, '"write" is no file: URL')
  if (!Array.isArray(prefixes) || prefixes.length === 0) throw refuseFile(path, '"prefixes" is not a list with something in it')
  return prefixes.map((prefix: unknown) => {
    if (typeof prefix !== 'string' || !/^[a-z0-9[][a-z0-9.:\]-]*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(prefix)) {
      throw refuseFile(path, `"prefixes" holds ${typeof prefix === 'string' ? quote(prefix) : 'something'}; expected HOST[:PORT][/PATH]`)
    }
    return { key: `prefix ${quote(prefix)}`, value: { prefix, read, write } }
  })
}

function isPlace(text: string, schemes: readonly string[]): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !schemes.includes(url.protocol) || url.username !== '' || url.password !== '') return false
  return url.protocol !== 'file:' || url.host === ''
}
