import { resolve } from 'node:path'
import { extractImage, openStore } from '../../store/index.ts'
import { takeTwo } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Unpacks a stored image into a directory, without its dependencies. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const [text, directory] = takeTwo(invocation, ['image', 'output directory'])
  const store = openStore(context.dataDir, { create: false, log: context.log })
  await extractImage(store, store.find(text), {
    out: resolve(context.cwd, directory),
    content: 'own',
    rootfsOnly: invocation.flags.bool('rootfs-only'),
    overwrite: invocation.flags.bool('overwrite'),
    signal: context.signal,
  })
  return 0
}
