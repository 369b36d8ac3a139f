import { isAbsolute } from 'node:path'
import type { ConfigDirectories } from '../context.ts'
import { checkFields, refuseFile, type ConfigFile } from './config-file.ts'
import { mergeKind, type ConfigKind, type Setting } from './merge.ts'

const names = ['data', 'stage1-images'] as const

/** Kind `paths`: where things lie. */
export const pathsKind: ConfigKind<string> = { name: 'paths', directory: 'paths.d', neighbours: ['paths'], read: readPaths }

/**
 * The data directory that configuration names.
 *
 * @throws RktError `invalid-config` naming the file.
 */
export function configuredDataDir(config: ConfigDirectories): string | undefined {
  return mergeKind(config, pathsKind).get('data')
}

/**
 * The directory that `--stage1-from-dir` looks into.
 *
 * @throws RktError `invalid-config` naming the file.
 */
export function configuredStage1Images(config: ConfigDirectories): string | undefined {
  return mergeKind(config, pathsKind).get('stage1-images')
}

function readPaths({ path, fields }: ConfigFile): readonly Setting<string>[] {
  checkFields(path, { object: fields, known: names })
  return names.flatMap((key) => {
    const value = fields[key]
    if (value === undefined || value === '') return []
    if (typeof value !== 'string' || !isAbsolute(value)) throw refuseFile(path, `"${key}" is ${JSON.stringify(value)}; expected an absolute path`)
    return [{ key, value }]
  })
}
