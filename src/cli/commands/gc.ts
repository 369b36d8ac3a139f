import { collectPods, openPods } from '../../pod/index.ts'
import { teardownPod } from '../../stage1/index.ts'
import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Collects pods; one that cannot be collected is told of, and does not change the exit status. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  takeNone(invocation)
  const { flags } = invocation
  await collectPods(openPods(context.dataDir), {
    graceMs: flags.duration('grace-period') ?? 0,
    expirePreparedMs: flags.duration('expire-prepared') ?? 0,
    markOnly: flags.bool('mark-only'),
    now: context.now,
    teardown: (podDir) => teardownPod(podDir),
    log: context.log,
    out: context.out,
  })
  return 0
}
