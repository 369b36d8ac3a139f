import type { RegistryLogin, RegistryLogins } from '../../fetch/index.ts'
import type { ConfigDirectories } from '../context.ts'
import { dockerAuthKind } from './auth.ts'
import { mergeKind } from './merge.ts'

/** Docker Hub has several names; references say `docker.io`. */
const hubNames = ['docker.io', 'index.docker.io', 'registry-1.docker.io']

/** The logins of `auth.d`, read when the first registry is asked. */
export function configuredLogins(config: ConfigDirectories): RegistryLogins {
  let byHost: ReadonlyMap<string, RegistryLogin> | undefined
  return {
    find: (host) => {
      byHost ??= new Map([...mergeKind(config, dockerAuthKind).values()].map(({ registry, user, password }) => [referenceHost(registry), { user, password }]))
      return byHost.get(host)
    },
  }
}

/** Files also name registries by URL, as `docker login` does. */
function referenceHost(registry: string): string {
  const host = registry.replace(/^https?:\/\//, '').replace(/\/.*$/, '').toLowerCase()
  return hubNames.includes(host) ? 'docker.io' : host
}
