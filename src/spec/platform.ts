import { quote, RktError } from '../base/index.ts'
import { valueOf, type Label } from './labels.ts'
import { badArch, badOS } from './os-arch.ts'

/** What this machine runs, in words of the specification. */
export interface Platform {
  readonly os: 'linux'
  readonly arch: string
}

/** `process.arch` of Node, and what appc calls it. */
const archByNodeName: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['ia32', 'i386'],
  ['arm64', 'aarch64'],
  ['arm', 'armv7l'],
  ['ppc64', 'ppc64le'],
  ['s390x', 's390x'],
])

/** Which images run on a machine besides those of its own architecture. */
const alsoRuns: ReadonlyMap<string, readonly string[]> = new Map([
  ['amd64', ['i386']],
  ['aarch64', ['armv7l', 'armv6l']],
  ['armv7l', ['armv6l']],
])

/**
 * The platform of a machine, by the name that Node has for its architecture.
 *
 * @throws RktError `unsupported-host` for an architecture that appc has no name for.
 */
export function hostPlatform(nodeArch: string): Platform {
  const arch = archByNodeName.get(nodeArch)
  if (arch === undefined) throw new RktError('unsupported-host', `cannot run on architecture ${quote(nodeArch)}: appc has no name for it`)
  return { os: 'linux', arch }
}

/**
 * Checks that an image with these labels can run on `host`.
 *
 * @throws RktError `unsupported-host` with the original's words: a label is missing, or names another platform.
 */
export function checkPlatform(labels: readonly Label[], host: Platform): void {
  const os = valueOf(labels, 'os')
  if (os === undefined) throw new RktError('unsupported-host', 'missing os label in the image manifest')
  const arch = valueOf(labels, 'arch')
  if (arch === undefined) throw new RktError('unsupported-host', 'missing arch label in the image manifest')
  if (os !== host.os) throw new RktError('unsupported-host', badOS(os, [host.os]))
  const archs = [host.arch, ...(alsoRuns.get(host.arch) ?? [])]
  if (!archs.includes(arch)) throw new RktError('unsupported-host', badArch(arch, { os, archs }))
}
