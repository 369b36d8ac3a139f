import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText, quote, RktError } from '../base/index.ts'
import { parseEnvFile, parseSetEnv, type PodManifestInputs } from '../pod/index.ts'
import { callerEnvironment } from './caller-environment.ts'
import type { World } from './context.ts'
import type { FlagValues } from './parse/flag-values.ts'

/**
 * The environment that flags give to every app of a pod.
 *
 * @throws RktError `usage`, `io`.
 */
export function readEnvironmentFlags(flags: FlagValues, world: World): PodManifestInputs['environment'] {
  const inherited = flags.bool('inherit-env') ? callerEnvironment(world.env) : []
  const file = new Map<string, string>()
  for (const path of flags.list('set-env-file')) {
    for (const { name, value } of parseEnvFile(readText(resolve(world.cwd, path), path), path)) {
      if (file.has(name)) throw new RktError('usage', `environment variable ${quote(name)} already defined (file ${quote(path)})`)
      file.set(name, value)
    }
  }
  return { inherited, file: [...file].map(([name, value]) => ({ name, value })), set: parseSetEnv(flags.list('set-env')) }
}

function readText(path: string, given: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new RktError('io', `cannot read environment file ${quote(given)}: ${errorText(cause)}`, { cause })
  }
}
