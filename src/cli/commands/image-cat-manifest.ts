import { imageManifestToJson } from '../../spec/index.ts'
import { openStore } from '../../store/index.ts'
import { takeOne } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Prints the manifest of a stored image. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const text = takeOne(invocation, 'image')
  const store = openStore(context.dataDir, { create: false, log: context.log })
  const manifest = await store.manifest(store.find(text), { signal: context.signal })
  context.out(JSON.stringify(imageManifestToJson(manifest), undefined, invocation.flags.bool('pretty-print') ? '\t' : undefined))
  return 0
}
