import { resolve } from 'node:path'
import { exportImage, openStore } from '../../store/index.ts'
import { takeTwo } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Writes a stored image as an uncompressed ACI. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const [text, file] = takeTwo(invocation, ['image', 'output file'])
  const store = openStore(context.dataDir, { create: false, log: context.log })
  await exportImage(store, store.find(text), {
    out: resolve(context.cwd, file),
    overwrite: invocation.flags.bool('overwrite'),
    signal: context.signal,
  })
  return 0
}
