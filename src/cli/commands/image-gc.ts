import { join } from 'node:path'
import { lockFile } from '../../base/index.ts'
import { inUse, openPods } from '../../pod/index.ts'
import { collectStore, openStore } from '../../store/index.ts'
import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Removes trees that no pod uses, and old images. No pod is being prepared meanwhile. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  takeNone(invocation)
  const { dataDir, log, signal } = context
  const store = openStore(dataDir, { create: true, log })
  using _lock = lockFile(join(dataDir, 'locks', 'prepareLock'), { mode: 'exclusive', wait: 'block' })
  const { trees, images } = inUse(openPods(dataDir))
  await collectStore(store, {
    graceMs: invocation.flags.duration('grace-period') ?? 0,
    treesInUse: trees,
    imagesInUse: images,
    now: new Date(context.now()),
    signal,
    log,
  })
  return 0
}
