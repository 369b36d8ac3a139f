import { errorText, RktError } from '../base/index.ts'

/** What a system error means for the user: `cannot ACTION: STATE`; errors that say so themselves stay as they are. */
export function cannot(action: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof RktError || !('syscall' in cause)) return cause
  return new RktError('io', `cannot ${action}: ${errorText(cause)}`, { cause })
}
