import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, mappedIdCount, parseStrictJson, quote, RktError } from '../../base/index.ts'

/** One file of configuration: its kind is known, its fields are not yet checked. */
export interface ConfigFile {
  readonly path: string
  readonly kind: string
  /** Without `rktKind` and `rktVersion`. */
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * The regular files `*.json` of one directory in the order of their names; links, other names and directories below do not count.
 *
 * @throws RktError `invalid-config` or `invalid-json` naming the file.
 */
export function readConfigFiles(directory: string, kinds: readonly string[]): readonly ConfigFile[] {
  return fileNames(directory).flatMap((name) => {
    try {
      return [readConfigFile(join(directory, name), kinds)]
    } catch (error) {
      if (isKeptByRoot(error)) return []
      throw error
    }
  })
}

/** What root of the host keeps for itself, credentials above all, is not meant for the pods of an ordinary user. */
function isKeptByRoot(error: unknown): boolean {
  return isErrno(error, 'EACCES') && mappedIdCount() !== undefined
}

/** Whether a value is a JSON object. */
export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** The refusal of a file, `cannot use "FILE": STATE`; values of fields may be secrets and are no part of it. */
export function refuseFile(path: string, state: string): RktError {
  return new RktError('invalid-config', `cannot use ${quote(path)}: ${state}`)
}

/** @throws RktError `invalid-config` when an object has fields that nobody would read. */
export function checkFields(path: string, { object, known, where = '' }: { readonly object: Readonly<Record<string, unknown>>; readonly known: readonly string[]; readonly where?: string }): void {
  const stranger = Object.keys(object).find((name) => !known.includes(name))
  if (stranger !== undefined) throw refuseFile(path, `unknown field ${quote(where + stranger)}; expected ${known.join(', ')}`)
}

function fileNames(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json')).map(({ name }) => name).sort()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || isKeptByRoot(error)) return []
    throw error
  }
}

function readConfigFile(path: string, kinds: readonly string[]): ConfigFile {
  const json = parseStrictJson(readFileSync(path), { what: quote(path) })
  if (!isObject(json)) throw refuseFile(path, 'not an object')
  const { rktKind: kind, rktVersion: version, ...fields } = json
  if (typeof kind !== 'string' || !kinds.includes(kind)) {
    throw refuseFile(path, `rktKind is ${JSON.stringify(kind)}; expected ${kinds.map((one) => JSON.stringify(one)).join(' or ')}`)
  }
  if (version !== 'v1') throw refuseFile(path, `rktVersion is ${JSON.stringify(version)}; expected "v1"`)
  return { path, kind, fields }
}
