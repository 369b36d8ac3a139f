import { quote, RktError } from '../../base/index.ts'
import type { OciTarget } from '../../spec/index.ts'
import { formatOciReference, type LocalOciReference, type OciReference } from './reference.ts'
import type { OciSource, OciSourceOptions } from './source.ts'

/**
 * Opens where an image is; nothing is asked for yet.
 *
 * @throws RktError `not-found`, `io`, `invalid-archive` for local sources.
 */
export async function openOciSource(reference: OciReference, options: OciSourceOptions): Promise<OciSource> {
  if (reference.transport === 'docker') return (await import('./registry/registry.ts')).openRegistry(reference, options)
  return await openLocal(reference, options)
}

async function openLocal(reference: LocalOciReference, options: OciSourceOptions): Promise<OciSource> {
  const { openLayout, openLayoutArchive, openDockerArchive } = await import('./local/index.ts')
  switch (reference.transport) {
    case 'oci':
      return await openLayout(reference, options)
    case 'oci-archive':
      return await openLayoutArchive(reference, options)
    case 'docker-archive':
      return await openDockerArchive(reference, options)
  }
}

/**
 * Opens where an image is to be written: a registry or a layout.
 *
 * @throws RktError `unsupported` for archives, `io`.
 */
export async function openOciTarget(reference: OciReference, options: OciSourceOptions): Promise<OciTarget & AsyncDisposable> {
  switch (reference.transport) {
    case 'docker':
      return (await import('./registry/target.ts')).openRegistryTarget(reference, options)
    case 'oci':
      return await (await import('./local/index.ts')).openLayoutTarget(reference, options)
    case 'oci-archive':
    case 'docker-archive':
      throw new RktError('unsupported', `cannot write to ${quote(formatOciReference(reference))}: archives are not changed; expected docker:// or oci:`, {
        hint: 'unpack the archive with tar and name its directory with oci:',
      })
  }
}
