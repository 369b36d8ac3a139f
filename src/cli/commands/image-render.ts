import { resolve } from 'node:path'
import { extractImage } from '../../store/index.ts'
import { takeTwo } from '../arguments.ts'
import type { Context } from '../context.ts'
import { openImages } from '../images.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Unpacks a stored image into a directory as an app of it would see it. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const [text, directory] = takeTwo(invocation, ['image', 'output directory'])
  const { store, record: judge } = openImages(context, { pullPolicy: 'never' })
  const found = store.find(text)
  // A chain holds for one moment: dependencies by name are found anew, and each is judged.
  await extractImage(store, found.kind === 'oci' || found.layers === undefined ? found : await judge(found.id), {
    out: resolve(context.cwd, directory),
    content: 'all',
    rootfsOnly: invocation.flags.bool('rootfs-only'),
    overwrite: invocation.flags.bool('overwrite'),
    signal: context.signal,
  })
  return 0
}
