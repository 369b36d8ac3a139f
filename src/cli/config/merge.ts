import { join } from 'node:path'
import { quote } from '../../base/index.ts'
import type { ConfigDirectories } from '../context.ts'
import { readConfigFiles, refuseFile, type ConfigFile } from './config-file.ts'

/** How the files of one kind are read: each gives settings by key. */
export interface ConfigKind<T> {
  readonly name: string
  /** Below each configuration directory. */
  readonly directory: string
  /** Every kind that this directory may hold. */
  readonly neighbours: readonly string[]
  /** What the file sets. @throws RktError `invalid-config`. */
  read(file: ConfigFile): readonly Setting<T>[]
}

export interface Setting<T> {
  /** `domain "example.com"`: what may be set once in a directory. */
  readonly key: string
  readonly value: T
}

/**
 * The settings of one kind: the local directory goes over the system's, the user's over both.
 *
 * @throws RktError `invalid-config` naming the file, also when two files of one directory set the same.
 */
export function mergeKind<T>(config: ConfigDirectories, kind: ConfigKind<T>): ReadonlyMap<string, T> {
  const merged = new Map<string, T>()
  for (const directory of [config.system, config.local, config.user]) {
    if (directory === undefined) continue
    for (const [key, value] of readDirectory(join(directory, kind.directory), kind)) merged.set(key, value)
  }
  return merged
}

function readDirectory<T>(directory: string, kind: ConfigKind<T>): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const file of readConfigFiles(directory, kind.neighbours)) {
    if (file.kind !== kind.name) continue
    for (const { key, value } of kind.read(file)) {
      if (found.has(key)) throw refuseFile(file.path, `${key.includes('"') ? key : quote(key)} is already specified in the same directory`)
      found.set(key, value)
    }
  }
  return found
}
