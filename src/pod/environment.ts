import { quote, RktError } from '../base/index.ts'
import { type EnvironmentVariable, isEnvironmentName } from '../spec/index.ts'

/** Where the environment of an app comes from, from the weakest to the strongest. */
export interface EnvironmentSources {
  /** The caller's environment with `--inherit-env`; it never replaces a variable of the image. */
  readonly inherited: readonly EnvironmentVariable[]
  readonly image: readonly EnvironmentVariable[]
  /** Per-app `--environment`. */
  readonly app: readonly EnvironmentVariable[]
  /** `--set-env-file`. */
  readonly file: readonly EnvironmentVariable[]
  /** `--set-env`. */
  readonly set: readonly EnvironmentVariable[]
}

/** Merges the sources; a variable keeps the place of its first mention. Inherited names that no manifest may hold are left out. */
export function mergeEnvironment(sources: EnvironmentSources): EnvironmentVariable[] {
  const merged = new Map<string, string>()
  for (const { name, value } of [...sources.image, ...sources.app]) merged.set(name, value)
  for (const { name, value } of sources.inherited) {
    if (!merged.has(name) && isEnvironmentName(name)) merged.set(name, value)
  }
  for (const { name, value } of [...sources.file, ...sources.set]) merged.set(name, value)
  return [...merged].map(([name, value]) => ({ name, value }))
}

/**
 * Reads the values of `--set-env`.
 *
 * @throws RktError `usage` with the original's texts.
 */
export function parseSetEnv(values: readonly string[]): EnvironmentVariable[] {
  const seen = new Set<string>()
  return values.map((value) => {
    const variable = splitVariable(value)
    if (variable === undefined) throw new RktError('usage', `cannot use --set-env ${quote(value)}: must be specified as key=value`)
    if (seen.has(variable.name)) throw new RktError('usage', `cannot use --set-env ${quote(value)}: key ${quote(variable.name)} already set`)
    seen.add(variable.name)
    return variable
  })
}

/**
 * Reads the text of one `--set-env-file`: a variable per line; blank lines and lines that start with `#` or `;` are skipped.
 *
 * @throws RktError `usage` with the original's texts, naming `path`.
 */
export function parseEnvFile(text: string, path: string): EnvironmentVariable[] {
  const seen = new Set<string>()
  return text.split('\n').flatMap((raw) => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) return []
    const variable = splitVariable(line)
    if (variable === undefined) throw new RktError('usage', `environment variable must be specified as name=value (file ${quote(path)})`)
    if (seen.has(variable.name)) throw new RktError('usage', `environment variable ${quote(variable.name)} already defined (file ${quote(path)})`)
    seen.add(variable.name)
    return [variable]
  })
}

function splitVariable(text: string): EnvironmentVariable | undefined {
  const at = text.indexOf('=')
  const name = at === -1 ? '' : text.slice(0, at)
  return isEnvironmentName(name) ? { name, value: text.slice(at + 1) } : undefined
}
