import { quote, RktError } from '../../base/index.ts'

export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

/** A signal that is also aborted when everything together took too long, however many attempts it was. */
export function startDeadline(signal: AbortSignal, { what, ms }: { readonly what: string; readonly ms: number }): Deadline {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new RktError('timeout', `cannot fetch ${quote(what)}: not done within ${ms} ms`)), ms)
  return { signal: AbortSignal.any([signal, late.signal]), [Symbol.dispose]: () => clearTimeout(timer) }
}
