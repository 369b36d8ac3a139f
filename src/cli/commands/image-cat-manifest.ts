import { parseStrictJson, print } from '../../base/index.ts'
import { imageManifestToJson } from '../../spec/index.ts'
import { openStore } from '../../store/index.ts'
import { takeOne } from '../arguments.ts'
import type { Context } from '../context.ts'
import { formatJson } from '../format.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Prints the manifest of a stored image. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const text = takeOne(invocation, 'image')
  const store = openStore(context.dataDir, { create: false, log: context.log })
  const record = store.find(text)
  const pretty = invocation.flags.bool('pretty-print')
  if (record.kind === 'oci') {
    const bytes = await store.manifestBytes(record, { signal: context.signal })
    // As they are in the image, so that their digest is its alias; indented only for those who say so.
    if (invocation.flags.given('pretty-print') && pretty) context.out(formatJson(parseStrictJson(bytes, { what: 'OCI manifest' }), { pretty }))
    else print(1, Buffer.from(bytes).toString('utf8'))
    return 0
  }
  const manifest = await store.manifest(record, { signal: context.signal })
  context.out(JSON.stringify(imageManifestToJson(manifest), undefined, pretty ? '\t' : undefined))
  return 0
}
