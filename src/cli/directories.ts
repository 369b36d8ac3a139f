import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { isErrno, quote, RktError } from '../base/index.ts'
import { configuredDataDir } from './config/paths.ts'
import type { ConfigDirectories, World } from './context.ts'
import type { FlagValues } from './parse/flag-values.ts'

/** The configuration directories that the global flags name, absolute. */
export function configDirectories(flags: FlagValues, world: World): ConfigDirectories {
  const at = (name: string): string => resolve(world.cwd, directory(flags, name))
  const given = flags.text('user-config') ?? ''
  const own = world.rootless?.kind === 'entered' ? ownDirectory(world, { variable: 'XDG_CONFIG_HOME', fallback: '.config' }) : undefined
  const user = given === '' ? own : at('user-config')
  return {
    system: at('system-config'),
    local: at('local-config'),
    ...(user === undefined ? {} : { user }),
    ...(own !== undefined && user !== undefined && !flags.given('local-config') ? { userKeys: true } : {}),
  }
}

/**
 * The data directory: `--dir`, else configuration of kind `paths`, else the default; absolute and without symbolic links. For an ordinary
 * user it is his own, and where the machine keeps root's does not matter.
 *
 * @throws RktError `not-root` for an ordinary user whose pods are not possible here, or in the directory of somebody else.
 */
export function dataDirectory(flags: FlagValues, config: ConfigDirectories, world: World): string {
  if (flags.given('dir')) return realPath(resolve(world.cwd, directory(flags, 'dir')))
  if (world.rootless === undefined) return realPath(resolve(world.cwd, configuredDataDir(config) ?? directory(flags, 'dir')))
  if (world.rootless.kind === 'refused') throw refuseRootless(world.rootless.reason)
  const configured = config.user === undefined ? undefined : configuredDataDir({ system: config.user, local: config.user })
  const own = configured ?? ownDirectory(world, { variable: 'XDG_DATA_HOME', fallback: '.local/share' })
  if (own === undefined) throw new RktError('usage', 'cannot choose a data directory: neither HOME nor XDG_DATA_HOME is an absolute path; expected --dir')
  const path = realPath(own)
  const owner = statSync(path, { throwIfNoEntry: false })?.uid ?? 0
  if (owner !== 0) throw new RktError('not-root', `cannot use data directory ${quote(path)}: it belongs to another user; expected one of your own`)
  return path
}

/** The refusal of what only root can do on this machine, in the words of the front-end. */
export function refuseRootless(reason: string): RktError {
  return new RktError('not-root', `cannot run as an ordinary user: ${reason}`)
}

/** SPEC: XDG Base Directory Specification; a relative path there is to be ignored. */
function ownDirectory({ env }: World, { variable, fallback }: { readonly variable: string; readonly fallback: string }): string | undefined {
  const base = env[variable] ?? ''
  if (isAbsolute(base)) return join(base, 'rkt')
  const home = env['HOME'] ?? ''
  return isAbsolute(home) ? join(home, fallback, 'rkt') : undefined
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
