import type { ImageRecord } from '../../store/index.ts'
import { imageTypes } from '../messages/index.ts'

/** What an image was before it came into the store. */
export interface ImageFormat {
  readonly type: number
  readonly formatVersion: string
}

/** Of an ACI, and of an image of which nothing else is known. */
export function appcFormat(appcVersion: string): ImageFormat {
  return { type: imageTypes.appc, formatVersion: appcVersion }
}

/** The format of a stored image, by the media type of its manifest. */
export function formatOf(record: ImageRecord, appcVersion: string): ImageFormat {
  if (record.kind === 'aci') return appcFormat(appcVersion)
  const docker = record.documents.at(-1)?.mediaType.startsWith('application/vnd.docker.') === true
  return docker ? { type: imageTypes.docker, formatVersion: '2.2.0' } : { type: imageTypes.oci, formatVersion: '1.0.0' }
}
