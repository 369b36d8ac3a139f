import type { LocalOciReference, OciReference } from './reference.ts'
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
