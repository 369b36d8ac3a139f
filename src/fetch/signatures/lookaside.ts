import { readdirSync, readFileSync, statSync } from 'node:fs'
import { isErrno, limits, quote, RktError } from '../../base/index.ts'
import type { DockerReference } from '../../spec/index.ts'
import { readNestedTexts, type NestedTexts } from './nested-texts.ts'

/** Where signatures of an image lie beside its registry: URLs without a slash at the end. */
export interface Lookaside {
  readonly read: string
  /** Where new ones are written; the same as `read` unless configured otherwise. */
  readonly write: string
}

/** Where signatures are looked for, by registry and repository. */
export interface LookasideConfig {
  /** @throws RktError `invalid-config` naming the file. */
  find(reference: DockerReference): Lookaside | undefined
}

interface Place {
  readonly read: string | undefined
  readonly write: string | undefined
}

const known = ['lookaside', 'lookaside-staging', 'sigstore', 'sigstore-staging', 'use-sigstore-attachments']

/**
 * The files `*.yaml` of `registries.d` in configuration directories, least important first. A later directory overrides an earlier one
 * scope by scope; the same scope twice in one directory is an error. SPEC: containers/image docs/containers-registries.d.5.md.
 */
export function openLookaside(directories: readonly string[]): LookasideConfig {
  let scopes: ReadonlyMap<string, Place> | undefined
  return {
    find: (reference) => {
      scopes ??= new Map(directories.flatMap((directory) => [...readDirectory(directory)]))
      const found = scopesOf(reference).map((scope) => scopes?.get(scope)).find((place) => place !== undefined)
      const read = found?.read ?? found?.write
      return read === undefined ? undefined : { read, write: found?.write ?? read }
    },
  }
}

/** Names of scopes from the most specific on: the image, its repository, those above, the host, the domains above, the default. */
function scopesOf({ host, repository, tag, digest }: DockerReference): readonly string[] {
  const parts = [host, ...repository.split('/')]
  const paths = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
  const labels = host.split('.')
  const domains = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)
  const exact = digest === undefined ? `${paths[0]}:${tag ?? 'latest'}` : `${paths[0]}@${digest}`
  return [exact, ...paths, ...domains, '']
}

function readDirectory(directory: string): ReadonlyMap<string, Place> {
  const scopes = new Map<string, Place>()
  for (const path of yamlFiles(directory)) {
    for (const [scope, place] of readFile(path)) {
      if (scopes.has(scope)) throw new RktError('invalid-config', `cannot use ${quote(path)}: ${scope === '' ? '"default-docker"' : quote(scope)} is already specified in the same directory`)
      scopes.set(scope, place)
    }
  }
  return scopes
}

function yamlFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.yaml')).sort().map((name) => `${directory}/${name}`)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function readFile(path: string): ReadonlyMap<string, Place> {
  if (!statSync(path).isFile()) throw new RktError('invalid-config', `cannot use ${quote(path)}: not a regular file`)
  const bytes = readFileSync(path)
  if (bytes.byteLength > limits.keyBytes) throw new RktError('limit-exceeded', `cannot use ${quote(path)}: ${bytes.byteLength} bytes; expected at most ${limits.keyBytes}`)
  const { docker = {}, 'default-docker': general, ...others } = readNestedTexts(bytes.toString('utf8'), path)
  const [stranger] = Object.keys(others)
  if (stranger !== undefined) throw new RktError('invalid-config', `cannot use ${quote(path)}: unknown field ${quote(stranger)}; expected docker, default-docker`)
  if (typeof docker !== 'object') throw new RktError('invalid-config', `cannot use ${quote(path)}: "docker" has no registries below it`)
  return new Map([...Object.entries(docker), ...(general === undefined ? [] : [['', general] as const])].map(([scope, place]) => [scope, readPlace(path, place)]))
}

function readPlace(path: string, fields: NestedTexts[string]): Place {
  if (typeof fields !== 'object') throw new RktError('invalid-config', `cannot use ${quote(path)}: a registry has a text instead of fields`)
  const stranger = Object.keys(fields).find((name) => !known.includes(name))
  if (stranger !== undefined) throw new RktError('invalid-config', `cannot use ${quote(path)}: unknown field ${quote(stranger)}; expected ${known.join(', ')}`)
  return {
    read: readURL(path, fields['lookaside'] ?? fields['sigstore']),
    write: readURL(path, fields['lookaside-staging'] ?? fields['sigstore-staging']),
  }
}

function readURL(path: string, value: NestedTexts[string] | undefined): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^(?:file:\/\/\/|https?:\/\/)/.test(value) || !URL.canParse(value)) {
    throw new RktError('invalid-config', `cannot use ${quote(path)}: a lookaside is ${JSON.stringify(value)}; expected a file:///, https:// or http:// URL`)
  }
  return value.replace(/\/+$/, '')
}
