import { isRktError, quote, RktError, type ImageID } from '../../base/index.ts'
import { openStore } from '../../store/index.ts'
import type { Context } from '../context.ts'
import { failureLines } from '../failure.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Removes images from the store; several references to one image count once. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  if (invocation.words.length === 0) throw new RktError('usage', 'must provide at least one image ID')
  const store = openStore(context.dataDir, { create: false, log: context.log })
  let failed = 0
  const attempt = async <T>(action: () => Promise<T> | T): Promise<T | undefined> => {
    try {
      return await action()
    } catch (error) {
      if (!isRktError(error) || error.code === 'cancelled') throw error
      for (const line of failureLines(error, { debug: context.debug })) context.log.warn(line)
      failed += 1
      return undefined
    }
  }
  const ids = new Set<ImageID>()
  for (const text of invocation.words) {
    const id = await attempt(() => store.resolve(text))
    if (id !== undefined) ids.add(id)
  }
  let removed = 0
  for (const id of ids) {
    const done = await attempt(async () => {
      await store.remove(id, { signal: context.signal })
      return true
    })
    if (done !== true) continue
    context.out(`successfully removed aci for image: ${quote(id)}`)
    removed += 1
  }
  if (removed > 0) context.log.info(`${removed} image(s) successfully removed`)
  if (failed > 0) {
    context.log.info(`${failed} image(s) cannot be removed`)
    throw new RktError('not-found', 'error(s) found while removing images')
  }
  return 0
}
