import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, type Log, quote } from '../base/index.ts'
import { builtinNetworks } from './builtin-networks.ts'
import { type ConfiguredNetwork, parseNetworkConf } from './configured-network.ts'

/**
 * Every network that can be asked for, in the order in which they are applied: `<localConfig>/net.d/*.conf` and `*.conflist`, then the built-in
 * ones that no file replaces.
 *
 * @throws RktError `invalid-config` or `invalid-json` for a file that cannot be understood.
 */
export function loadNetworks(localConfig: string, log: Log): readonly ConfiguredNetwork[] {
  const networks = new Map<string, ConfiguredNetwork>()
  for (const path of confFiles(join(localConfig, 'net.d'))) {
    const network = parseNetworkConf(readFileSync(path), path)
    if (networks.has(network.name)) {
      log.notice('networking', `${quote(network.name)} network already defined, ignoring ${quote(network.fileName)}`)
      continue
    }
    if (builtinNetworks.some(({ name }) => name === network.name)) {
      log.debug('networking', `overriding ${quote(network.name)} network with ${quote(network.fileName)}`)
    }
    networks.set(network.name, network)
  }
  for (const network of builtinNetworks) {
    if (!networks.has(network.name)) networks.set(network.name, network)
  }
  return [...networks.values()].sort((a, b) => (a.fileName < b.fileName ? -1 : 1))
}

function confFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.conf(list)?$/.test(name))
      .sort()
      .map((name) => join(directory, name))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
