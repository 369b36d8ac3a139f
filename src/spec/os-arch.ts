import { quote } from '../base/index.ts'

/** SPEC: the table of the appc library, which every image manifest must agree with. */
const table: ReadonlyMap<string, readonly string[]> = new Map([
  ['darwin', ['x86_64', 'i386']],
  ['freebsd', ['amd64', 'i386', 'arm']],
  ['linux', ['amd64', 'i386', 'aarch64', 'aarch64_be', 'armv6l', 'armv7l', 'armv7b', 'ppc64', 'ppc64le', 's390x']],
])

/** The architectures that the specification knows for `os`; undefined when it does not know `os`. */
export function validArchs(os: string): readonly string[] | undefined {
  return table.get(os)
}

/** The original's words for an unknown operating system. */
export function badOS(os: string, oses: Iterable<string> = table.keys()): string {
  return `bad os ${quote(os)} (must be one of: [${[...oses].join(' ')}])`
}

/** The original's words for an architecture that `os` does not have. */
export function badArch(arch: string, wanted: { readonly os: string; readonly archs: readonly string[] }): string {
  return `bad arch ${quote(arch)} for ${wanted.os} (must be one of: [${wanted.archs.join(' ')}])`
}
