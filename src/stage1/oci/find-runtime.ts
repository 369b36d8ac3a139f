import { accessSync, constants, statSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { quote, RktError } from '../../base/index.ts'

/** Where runtimes are looked for; the caller's PATH does not decide what becomes root. */
const places = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** What differs between runtimes; one that is none of these is driven like runc. */
export type RuntimeKind = 'crun' | 'runc' | 'runsc'

export interface OciRuntime {
  readonly path: string
  readonly kind: RuntimeKind
}

/**
 * Finds a runtime by its name or absolute path.
 *
 * @throws RktError `missing-tool`.
 */
export function findRuntime(name: string): OciRuntime {
  const candidates = isAbsolute(name) ? [name] : places.map((place) => join(place, name))
  const path = candidates.find(isExecutable)
  if (path === undefined) {
    throw new RktError('missing-tool', `cannot use isolation "oci:${name}": no program ${quote(name)} ${isAbsolute(name) ? 'there' : `in ${places.join(', ')}`}`, {
      hint: `install it, for example with: apt-get install ${basename(name)}`,
    })
  }
  const word = basename(path)
  return { path, kind: word.startsWith('runsc') ? 'runsc' : word.startsWith('crun') ? 'crun' : 'runc' }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // A place without it: the next one is asked.
    return false
  }
}

/** Directories of every host that the ids of a pod can reach; what is in them does not matter to a runtime. */
const rootPlaces = ['/mnt', '/media', '/srv', '/opt']

/**
 * Where the root of an app is mounted, in a mount namespace that only the runtime sees: the pod directory is closed for the ids of the
 * pod, and a runtime acts as their root.
 *
 * @throws RktError `unsupported-host`.
 */
export function findRootPlace(needed: readonly string[]): string {
  const place = rootPlaces.find((path) => !needed.some((one) => one.startsWith(`${path}/`)) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
  if (place === undefined) throw new RktError('unsupported-host', `cannot mount the root of an app: this host has none of ${rootPlaces.join(', ')} that is not in use`)
  return place
}
