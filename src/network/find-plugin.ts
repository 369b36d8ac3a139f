import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, quote, RktError } from '../base/index.ts'

/**
 * Directories in which CNI plugins are looked for, first hit wins; the last two are where Debian and the CNI project install them.
 *
 * @throws RktError `invalid-config` when the configuration directory holds a colon, which separates entries of `CNI_PATH`.
 */
export function pluginDirectories(localConfig: string): readonly string[] {
  if (localConfig.includes(':')) {
    throw new RktError('invalid-config', `cannot search network plugins in ${quote(localConfig)}: the path holds a colon`)
  }
  return [join(localConfig, 'net.d'), '/usr/lib/rkt/plugins/net', '/usr/lib/cni', '/opt/cni/bin']
}

/**
 * Absolute path of a plugin.
 *
 * @throws RktError `missing-tool`.
 */
export function findPlugin(type: string, directories: readonly string[]): string {
  for (const directory of directories) {
    const path = join(directory, type)
    if (isExecutable(path)) return path
  }
  throw new RktError('missing-tool', `Could not find plugin ${quote(type)}`, {
    hint: `install it (Debian package containernetworking-plugins) into one of ${directories.join(', ')}`,
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return false
    throw error
  }
}
