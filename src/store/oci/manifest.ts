import { quote, type Log } from '../../base/index.ts'
import { readOciConfig, readOciDocument, type ImageManifest, type OciConfig, type OciManifest } from '../../spec/index.ts'
import { damaged } from '../blob.ts'
import type { Layout } from '../layout.ts'
import { readBlobOf } from './blobs.ts'
import { convertConfig } from './convert-config.ts'
import { manifestOf, type OciRecord } from './record.ts'

/** The manifest's bytes as they were received. @throws RktError `corrupted`. */
export function readOciManifestBytes(layout: Layout, record: OciRecord): Uint8Array {
  return readBlobOf(layout, record, manifestOf(record))
}

/** Manifest and config of a stored image. @throws RktError `corrupted` when they are not those that were stored. */
export function readOciImage(layout: Layout, record: OciRecord): { readonly manifest: OciManifest; readonly config: OciConfig } {
  const manifest = readOciDocument(readOciManifestBytes(layout, record), manifestOf(record).mediaType)
  if (manifest.kind !== 'manifest' || manifest.config.digest !== record.config.digest) throw damaged(record, `its manifest names another config than ${quote(record.config.digest)}`)
  const config = readOciConfig(readBlobOf(layout, record, record.config))
  const same = config.diffIDs.length === record.layers.length && record.layers.every(({ diffID }, index) => diffID === config.diffIDs[index])
  if (!same) throw damaged(record, 'its config names other layers')
  return { manifest, config }
}

/** What the image runs, in words of appc: `specs/oci-images.md`. @throws RktError `corrupted`, `invalid-manifest`. */
export function readConverted(layout: Layout, record: OciRecord, log: Log): ImageManifest {
  const { config } = readOciImage(layout, record)
  const { manifest, warnings } = convertConfig(config, record)
  for (const warning of warnings) log.debug('image', `${record.name}: ${warning}`)
  return manifest
}
