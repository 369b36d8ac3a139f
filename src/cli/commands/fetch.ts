import { RktError } from '../../base/index.ts'
import { ensureTrees } from '../../store/index.ts'
import type { Context } from '../context.ts'
import { openImages } from '../images.ts'
import type { Invocation } from '../parse/invocation.ts'
import { progressBar } from '../progress.ts'
import { readPullPolicy } from '../pull-policy.ts'

/** `sha512-` and 32 digits: what is printed without `--full`. */
const shortLength = 39

/** Fetches images and prints their IDs, one a line; as root the trees are rendered too, so that the first run is quick. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags, apps } = invocation
  if (apps.length === 0) throw new RktError('usage', 'must provide at least one image')
  const pullPolicy = readPullPolicy(flags)
  using bar = progressBar({ columns: context.env['COLUMNS'], now: context.now })
  const place = openImages(context, { pullPolicy, onProgress: bar.onProgress })
  for (const app of apps) {
    const record = await place.record(app.image, app.flags)
    if (context.euid === 0) await ensureTrees(place.store, record, { signal: context.signal })
    bar[Symbol.dispose]()
    context.out(flags.bool('full') ? record.id : record.id.slice(0, shortLength))
  }
  return 0
}
