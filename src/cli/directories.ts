import { realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isErrno, RktError } from '../base/index.ts'
import { configuredDataDir } from './config/paths.ts'
import type { ConfigDirectories, World } from './context.ts'
import type { FlagValues } from './parse/flag-values.ts'

/** The configuration directories that the global flags name, absolute. */
export function configDirectories(flags: FlagValues, world: World): ConfigDirectories {
  const at = (name: string): string => resolve(world.cwd, directory(flags, name))
  const user = flags.text('user-config') ?? ''
  return { system: at('system-config'), local: at('local-config'), ...(user === '' ? {} : { user: at('user-config') }) }
}

/** The data directory: `--dir`, else configuration of kind `paths`, else the default; absolute and without symbolic links. */
export function dataDirectory(flags: FlagValues, config: ConfigDirectories, world: World): string {
  const configured = flags.given('dir') ? undefined : configuredDataDir(config)
  return realPath(resolve(world.cwd, configured ?? directory(flags, 'dir')))
}

/** An empty path would be the current directory, which nobody means: an unset variable in a script stands behind it. */
function directory(flags: FlagValues, name: string): string {
  const text = flags.text(name) ?? ''
  if (text === '') throw new RktError('usage', `cannot use --${name}="": it is empty; expected a directory`)
  return text
}

/** Resolves the part of a path that exists already. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    const parent = resolve(path, '..')
    if (!isErrno(error, 'ENOENT') || parent === path) throw error
    return join(realPath(parent), path.slice(parent.length))
  }
}
