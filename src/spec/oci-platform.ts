import { quote, RktError } from '../base/index.ts'
import type { OciDescriptor, OciPlatform } from './oci-descriptor.ts'
import type { OciIndex } from './oci-document.ts'
import { formatPlatform } from './oci-image.ts'
import { documentKind } from './oci-media-types.ts'

/** `process.arch` of Node, and what Go calls it. */
const byNodeName: ReadonlyMap<string, Omit<OciPlatform, 'os'>> = new Map([
  ['x64', { architecture: 'amd64', variant: '' }],
  ['ia32', { architecture: '386', variant: '' }],
  ['arm64', { architecture: 'arm64', variant: 'v8' }],
  ['arm', { architecture: 'arm', variant: 'v7' }],
  ['ppc64', { architecture: 'ppc64le', variant: '' }],
  ['s390x', { architecture: 's390x', variant: '' }],
  ['riscv64', { architecture: 'riscv64', variant: '' }],
  ['loong64', { architecture: 'loong64', variant: '' }],
])

/** What OCI and appc call the same architecture. */
const appcNames: ReadonlyMap<string, string> = new Map([
  ['amd64', 'amd64'],
  ['386', 'i386'],
  ['arm64', 'aarch64'],
  ['arm', 'armv7l'],
  ['arm/v7', 'armv7l'],
  ['arm/v6', 'armv6l'],
  ['ppc64', 'ppc64'],
  ['ppc64le', 'ppc64le'],
  ['s390x', 's390x'],
])

/**
 * The platform of a machine, by the name that Node has for its architecture.
 *
 * @throws RktError `unsupported-host` for an architecture that is not known.
 */
export function hostOciPlatform(nodeArch: string): OciPlatform {
  const found = byNodeName.get(nodeArch)
  if (found === undefined) throw new RktError('unsupported-host', `cannot run on architecture ${quote(nodeArch)}: OCI has no name for it`)
  return { os: 'linux', ...found }
}

/** The value of the `arch` label of an image; undefined for an architecture that appc has no name for. */
export function appcArch({ architecture, variant }: OciPlatform): string | undefined {
  return appcNames.get(variant === '' ? architecture : `${architecture}/${variant}`) ?? (architecture === 'arm' ? undefined : appcNames.get(architecture))
}

/**
 * The entry of an index for a platform: the first of the same variant; else the first of one that the machine also runs. An index of
 * one entry that names no platform is that image for everybody.
 *
 * @throws RktError `not-found` with the platforms that there are.
 */
export function selectPlatform(index: OciIndex, wanted: OciPlatform): OciDescriptor {
  const entries = index.manifests.filter(({ mediaType }) => documentKind(mediaType) !== undefined)
  const [only] = entries
  if (entries.length === 1 && only?.platform === undefined && only !== undefined) return only
  for (const variant of variantsFor(wanted)) {
    const found = entries.find(({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture && platform.variant === variant)
    if (found !== undefined) return found
  }
  const shown = entries.flatMap(({ platform }) => (platform === undefined ? [] : [formatPlatform(platform)]))
  const there = shown.length === 0 ? 'none' : [...new Set(shown)].slice(0, 20).join(', ')
  throw new RktError('not-found', `cannot choose from OCI index: no image for ${formatPlatform(wanted)}; there are ${there}`)
}

/** The best first. An entry without a variant is for every machine of its architecture. */
function variantsFor({ architecture, variant }: OciPlatform): readonly string[] {
  if (architecture === 'arm64') return ['v8', '']
  if (architecture === 'amd64') return ['', 'v1']
  if (architecture !== 'arm') return variant === '' ? [''] : [variant, '']
  const own = ['v8', 'v7', 'v6', 'v5'].indexOf(variant)
  return [...['v8', 'v7', 'v6', 'v5'].slice(Math.max(own, 0)), '']
}
