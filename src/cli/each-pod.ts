import { isRktError, quote } from '../base/index.ts'
import { openPods, type Pod } from '../pod/index.ts'
import { takeSome, uuidFromFile } from './arguments.ts'
import type { Context } from './context.ts'
import { failureLines } from './failure.ts'
import { findPod } from './find-pod.ts'
import type { Invocation } from './parse/invocation.ts'

/**
 * Does something to each pod that the command line names; a failure is told and does not keep the others. Returns how many failed.
 *
 * @throws RktError `usage` when none is named, `io` for the file of `--uuid-file`.
 */
export async function eachPod(
  context: Context,
  invocation: Invocation,
  options: { readonly unreadableFileStatus: number; readonly act: (pod: Pod) => Promise<void> },
): Promise<number> {
  const fromFile = uuidFromFile(context, invocation, { exitStatus: options.unreadableFileStatus })
  const texts = fromFile === undefined ? takeSome(invocation, 'pod UUID') : [fromFile]
  const pods = openPods(context.dataDir)
  let failed = 0
  for (const text of texts) {
    try {
      using pod = findPod(pods, text)
      await options.act(pod)
    } catch (error) {
      if (!isRktError(error) || error.code === 'cancelled') throw error
      const prefix = isRktError(error, 'not-found', 'ambiguous') ? `cannot get pod: ` : ''
      const [message = '', ...more] = failureLines(error, { debug: context.debug })
      for (const line of [`${prefix}${message}`, ...more]) context.log.warn(line)
      failed += 1
    }
  }
  return failed
}

/** A UUID as `rm` and `stop` print it: in quotes. */
export function quotedUUID(pod: Pod): string {
  return quote(pod.uuid)
}
