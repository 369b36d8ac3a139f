import { errorText, RktError } from '../base/index.ts'
import { loadPreparedPod, removePod, requireHostSources, resolveMounts, type Pod } from '../pod/index.ts'
import { passedSockets, planPod, startPod, teardownPod } from '../stage1/index.ts'
import type { Context } from './context.ts'
import { formatJson } from './format.ts'
import type { StartFlags } from './runtime-flags.ts'

export interface StartOptions {
  readonly flags: StartFlags
  readonly dryRun: boolean
}

/**
 * Starts a pod that is in stage `run` and whose lock we hold: this process becomes the pod. With `dryRun` the plan is printed, and the
 * pod left to the caller.
 *
 * @throws RktError `missing-volume`, `usage` (several apps with `--interactive`), and what stage1 refuses.
 */
export async function startOrPlan(context: Context, pod: Pod, { flags, dryRun }: StartOptions): Promise<void> {
  const prepared = loadPreparedPod(pod)
  if (flags.interactive && prepared.apps.length > 1) throw new RktError('usage', 'interactive option only supports pods with one app')
  for (const app of prepared.apps) requireHostSources(resolveMounts(app, prepared.manifest.volumes).mounts)
  const { hostname, ...rest } = flags
  const options = {
    pod,
    prepared,
    runtime: { ...rest, hostname: hostname(pod.uuid) },
    dirs: { data: context.dataDir, config: context.config },
    signal: context.signal,
    beforeExec: () => context.interrupt.release(),
    ...(context.env['TERM'] === undefined ? {} : { term: context.env['TERM'] }),
    sockets: passedSockets(context.env, process.pid),
    ...(context.env['NOTIFY_SOCKET'] === undefined ? {} : { notifySocket: context.env['NOTIFY_SOCKET'] }),
    log: context.log,
    ...(context.callerFd === undefined ? {} : { callerFd: context.callerFd }),
  }
  if (dryRun) {
    const { json } = await planPod(options)
    context.out(formatJson(json, { pretty: true }))
    return
  }
  await startPod(options)
}

/** Removes a pod of this command that will not run: nobody else knows of it. What stands in the way is told, and left to `rkt gc`. */
export async function discardPod(context: Context, pod: Pod): Promise<void> {
  try {
    pod.unlock()
    await removePod(pod, { log: context.log, teardown: (podDir) => teardownPod(podDir) })
  } catch (error) {
    context.log.warn(`cannot remove pod "${pod.uuid}": ${errorText(error)}`)
  }
}
