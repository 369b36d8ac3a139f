import { join } from 'node:path'
import type { Isolator } from '../spec/index.ts'
import { seccompFilter } from './seccomp-filter.ts'
import { profileForIsolators } from './seccomp-isolator.ts'

/** The seccomp program of an app as its isolators ask; undefined when they ask for none. */
export async function appFilter(isolators: readonly Isolator[], options: { readonly dataDir: string }): Promise<Uint8Array | undefined> {
  const profile = profileForIsolators(isolators)
  return profile && (await seccompFilter(profile, { cacheDir: join(options.dataDir, 'cas', 'seccomp') }))
}
