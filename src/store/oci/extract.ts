import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExtractImageOptions } from '../extract-image.ts'
import { makeOutputDirectory } from '../output-directory.ts'
import type { Store } from '../store.ts'
import { openBlobOf } from './blobs.ts'
import { flattenTrees } from './flatten.ts'
import { readOciManifestBytes } from './manifest.ts'
import type { OciRecord } from './record.ts'
import { unpackLayer } from './unpack-layer.ts'
import { damaged } from '../blob.ts'

/** As `extractImage`: the layers over each other; an OCI image depends on nothing, so `own` and `all` are the same. */
export async function extractOci({ layout }: Store, record: OciRecord, { out, overwrite, rootfsOnly, signal }: ExtractImageOptions): Promise<void> {
  await makeOutputDirectory({ path: out, overwrite }, async (place) => {
    const paths: string[] = []
    for (const [index, layer] of record.layers.toReversed().entries()) {
      const path = join(place, `layer-${index}`)
      mkdirSync(path, { mode: 0o755 })
      using blob = openBlobOf(layout, record, layer)
      const { diffID } = await unpackLayer({ blobPath: blob.path, destination: path, listingPath: join(place, `listing-${index}`), expected: layer.diffID, signal })
      if (diffID !== layer.diffID) throw damaged(record, `its layer unpacks to ${diffID}`)
      paths.push(join(path, 'rootfs'))
    }
    flattenTrees(paths)
    const path = join(place, 'layer-0')
    if (rootfsOnly) return join(path, 'rootfs')
    writeFileSync(join(path, 'manifest'), readOciManifestBytes(layout, record), { mode: 0o644 })
    return path
  })
}
