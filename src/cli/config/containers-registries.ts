import { readdirSync, readFileSync, statSync } from 'node:fs'
import { isErrno, limits, quote, RktError } from '../../base/index.ts'
import type { DockerReference } from '../../spec/index.ts'
import type { ConfigDirectories } from '../context.ts'
import { refuseFile } from './config-file.ts'
import { readNestedTexts, type NestedTexts } from './nested-texts.ts'

/** Where signatures of an image lie beside its registry: URLs without a slash at the end. */
export interface ContainersPlace {
  readonly read: string | undefined
  readonly write: string | undefined
}

const known = ['lookaside', 'lookaside-staging', 'sigstore', 'sigstore-staging', 'use-sigstore-attachments']

/**
 * Files `registries.d/*.yaml` in the form of podman and skopeo, by scope; a directory of higher precedence overrides scope by scope.
 * SPEC: containers/image docs/containers-registries.d.5.md.
 *
 * @throws RktError `invalid-config` naming the file, also for the same scope twice in one directory.
 */
export function readContainersRegistries({ system, local, user }: ConfigDirectories): ReadonlyMap<string, ContainersPlace> {
  const directories = [system, local, ...(user === undefined ? [] : [user])].map((directory) => `${directory}/registries.d`)
  return new Map(directories.flatMap((directory) => [...readDirectory(directory)]))
}

/** Names of scopes from the most specific on: the image, its repository, those above, the host, the domains above, the default. */
export function scopesOf({ host, repository, tag, digest }: DockerReference): readonly string[] {
  const parts = [host, ...repository.split('/')]
  const paths = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
  const labels = host.split('.')
  const domains = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)
  const exact = digest === undefined ? `${paths[0]}:${tag ?? 'latest'}` : `${paths[0]}@${digest}`
  return [exact, ...paths, ...domains, '']
}

function readDirectory(directory: string): ReadonlyMap<string, ContainersPlace> {
  const scopes = new Map<string, ContainersPlace>()
  for (const path of yamlFiles(directory)) {
    for (const [scope, place] of readFile(path)) {
      if (scopes.has(scope)) throw refuseFile(path, `${scope === '' ? '"default-docker"' : quote(scope)} is already specified in the same directory`)
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

function readFile(path: string): ReadonlyMap<string, ContainersPlace> {
  const { size } = statSync(path)
  if (size > limits.keyBytes) throw new RktError('limit-exceeded', `cannot use ${quote(path)}: ${size} bytes; expected at most ${limits.keyBytes}`)
  const { docker = {}, 'default-docker': general, ...others } = readNestedTexts(readFileSync(path, 'utf8'), path)
  const [stranger] = Object.keys(others)
  if (stranger !== undefined) throw refuseFile(path, `unknown field ${quote(stranger)}; expected docker, default-docker`)
  if (typeof docker !== 'object') throw refuseFile(path, '"docker" has no registries below it')
  return new Map([...Object.entries(docker), ...(general === undefined ? [] : [['', general] as const])].map(([scope, place]) => [scope, readPlace(path, place)]))
}

function readPlace(path: string, fields: NestedTexts[string]): ContainersPlace {
  if (typeof fields !== 'object') throw refuseFile(path, 'a registry has a text instead of fields')
  const stranger = Object.keys(fields).find((name) => !known.includes(name))
  if (stranger !== undefined) throw refuseFile(path, `unknown field ${quote(stranger)}; expected ${known.join(', ')}`)
  const write = readURL(path, fields['lookaside-staging'] ?? fields['sigstore-staging'])
  const read = readURL(path, fields['lookaside'] ?? fields['sigstore'])
  return { read: read ?? write, write: write ?? (read?.startsWith('file:') === true ? read : undefined) }
}

function readURL(path: string, value: NestedTexts[string] | undefined): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^(?:file:\/\/\/|https?:\/\/)/.test(value) || !URL.canParse(value) || new URL(value).username !== '') {
    throw refuseFile(path, `a lookaside is ${JSON.stringify(value)}; expected a file:///, https:// or http:// URL without a user`)
  }
  return value.replace(/\/+$/, '')
}
