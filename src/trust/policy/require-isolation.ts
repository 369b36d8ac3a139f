import { quote, RktError } from '../../base/index.ts'
import { isolationText, reachesLevel, type ACIdentifier, type Isolation } from '../../spec/index.ts'
import type { Policies } from './policies.ts'

export interface RequireIsolationOptions {
  readonly name: ACIdentifier
  readonly isolation: Isolation
  /** Why the isolation that the policy asks for cannot be had on this machine, when that is known. */
  readonly unavailable?: string | undefined
}

/**
 * Refuses to run an image with less isolation than its policy asks for.
 *
 * @throws RktError `policy-refused` naming the file, `invalid-config` for a policy that cannot be read.
 */
export function requireIsolation(policies: Policies, { name, isolation, unavailable }: RequireIsolationOptions): void {
  const { isolation: floor, path } = policies.policyFor(name)
  if (floor === undefined || reachesLevel(isolation, floor)) return
  const reason = unavailable === undefined ? '' : ` (${unavailable})`
  throw new RktError('policy-refused', `cannot run image ${quote(name)} with isolation ${isolationText(isolation)}: policy ${quote(path ?? '')} refuses it; expected ${floor} or stronger${reason}`, {
    hint: `run it with the isolation that the policy asks for: rkt run --isolation=${floor} ${name}`,
  })
}
