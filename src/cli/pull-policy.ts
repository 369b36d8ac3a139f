import { quote, RktError } from '../base/index.ts'
import type { FlagValues } from './parse/flag-values.ts'

/** When an image is fetched: never, only when it is not stored, or whenever the other side has a newer one. */
export type PullPolicy = 'never' | 'new' | 'update'

/**
 * Reads `--pull-policy` and the two flags that came before it.
 *
 * @throws RktError `usage`.
 */
export function readPullPolicy(flags: FlagValues): PullPolicy {
  const [storeOnly, noStore] = [flags.bool('store-only'), flags.bool('no-store')]
  if (storeOnly && noStore) throw new RktError('usage', 'both --store-only and --no-store specified')
  if (storeOnly) return 'never'
  if (noStore) return 'update'
  const text = flags.text('pull-policy') ?? ''
  if (text === 'never' || text === 'new' || text === 'update') return text
  throw new RktError('usage', `invalid argument ${quote(text)} for --pull-policy: expected never, new or update`)
}
