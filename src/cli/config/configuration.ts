import type { Credential } from '../../fetch/index.ts'
import { openKeystore, policyJson } from '../../trust/index.ts'
import type { ConfigDirectories } from '../context.ts'
import { authKind, dockerAuthKind } from './auth.ts'
import { lookasideKind } from './lookaside.ts'
import { mergeKind } from './merge.ts'
import { pathsKind } from './paths.ts'
import { stage1Kind, type Stage1Setting } from './stage1.ts'

/**
 * The merged configuration as `rkt config` prints it: a list of entries in the form of the files, one for each domain, registry and prefix.
 *
 * @throws RktError `invalid-config` naming the file.
 */
export function configurationJson(config: ConfigDirectories): { readonly stage0: readonly unknown[] } {
  const auth = [...mergeKind(config, authKind).values()].map(({ host, credential }) => entry('auth', { domains: [host], ...credentialJson(credential) }))
  const docker = [...mergeKind(config, dockerAuthKind).values()].map(({ registry, ...credentials }) => entry('dockerAuth', { registries: [registry], credentials }))
  const paths = mergeKind(config, pathsKind)
  const stage1 = mergeKind(config, stage1Kind)
  const lookaside = [...mergeKind(config, lookasideKind).values()].map(({ prefix, read, write }) =>
    entry('lookaside', { prefixes: [prefix], read, ...(write === '' ? {} : { write }) }),
  )
  const policies = openKeystore(config).policies.rules().map((rule) => entry('policy', policyJson(rule)))
  return { stage0: [...auth, ...docker, ...lookaside, ...policies, ...whenSet('paths', Object.fromEntries(paths)), ...whenSet('stage1', stage1Json([...stage1.values()]))] }
}

function entry(rktKind: string, fields: object): object {
  return { rktVersion: 'v1', rktKind, ...fields }
}

function whenSet(kind: string, fields: object): readonly object[] {
  return Object.keys(fields).length === 0 ? [] : [entry(kind, fields)]
}

function credentialJson({ type, ...credentials }: Credential): object {
  return { type, credentials }
}

function stage1Json(settings: readonly Stage1Setting[]): object {
  return Object.assign({}, ...settings.map(({ kind: _, ...fields }) => fields))
}
