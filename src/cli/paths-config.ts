import { readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { isErrno, parseStrictJson, quote, RktError } from '../base/index.ts'
import type { ConfigDirectories } from './context.ts'

/**
 * The data directory that configuration of kind `paths` names (`paths.d/*.json`): the user's directory goes over the local one,
 * that over the system's.
 *
 * @throws RktError `invalid-config` naming the file, also when two files of one directory name it.
 */
export function configuredDataDir(config: ConfigDirectories): string | undefined {
  let found: string | undefined
  for (const directory of [config.system, config.local, config.user]) {
    if (directory !== undefined) found = readDirectory(join(directory, 'paths.d')) ?? found
  }
  return found
}

function readDirectory(directory: string): string | undefined {
  let found: string | undefined
  for (const file of configFiles(directory)) {
    const data = readPaths(file)
    if (data === undefined) continue
    if (found !== undefined) throw new RktError('invalid-config', `cannot use ${quote(file)}: "data" is already specified in the same directory`)
    found = data
  }
  return found
}

function configFiles(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json')).map((entry) => join(directory, entry.name)).sort()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function readPaths(file: string): string | undefined {
  const json = parseStrictJson(readFileSync(file), { what: quote(file) })
  if (!isObject(json)) throw refuse(file, 'not an object')
  if (json['rktKind'] !== 'paths') throw refuse(file, `rktKind is ${JSON.stringify(json['rktKind'])}; expected "paths"`)
  if (json['rktVersion'] !== 'v1') throw refuse(file, `rktVersion is ${JSON.stringify(json['rktVersion'])}; expected "v1"`)
  const data = json['data']
  if (data === undefined || data === '') return undefined
  if (typeof data !== 'string' || !isAbsolute(data)) throw refuse(file, `"data" is ${JSON.stringify(data)}; expected an absolute path`)
  return data
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function refuse(file: string, state: string): RktError {
  return new RktError('invalid-config', `cannot use ${quote(file)}: ${state}`)
}
