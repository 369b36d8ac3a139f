import type { Credential, Credentials } from '../../fetch/index.ts'
import type { ConfigDirectories } from '../context.ts'
import { authKind } from './auth.ts'
import { mergeKind } from './merge.ts'

/** The credentials of `auth.d`, read when the first request wants to know. */
export function configuredCredentials(config: ConfigDirectories, now: () => number): Credentials {
  let byHost: ReadonlyMap<string, Credential> | undefined
  return {
    find: (host) => {
      byHost ??= new Map([...mergeKind(config, authKind).values()].map(({ host: own, credential }) => [own, credential]))
      return byHost.get(host)
    },
    now,
  }
}
