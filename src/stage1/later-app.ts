import { closeSync, statSync } from 'node:fs'
import { binding, mappedIdCount, quote, RktError } from '../base/index.ts'
import { isMutable, loadPreparedPod, type Pod, type PreparedApp, type PreparedPod } from '../pod/index.ts'
import { appFilter } from './app-filter.ts'
import { readKeptInputs } from './kept.ts'
import { askLauncher } from './launcher.ts'
import { podFiles } from './ns/plan-app.ts'
import { planPod } from './ns/plan-pod.ts'
import { encodeAppPlan, encodeEnterPlan } from './plan/encode.ts'
import type { Operation } from './plan/operations.ts'
import { readHostFacts, readRootFacts } from './read-facts.ts'

export interface LaterAppOptions {
  /** Running, and made for changes. */
  readonly pod: Pod
  readonly app: string
  readonly signal: AbortSignal
}

export interface StartAppOptions extends LaterAppOptions {
  /** The caller's TERM. */
  readonly term?: string
  readonly warn: (line: string) => void
}

/**
 * Starts an app of a running pod, or starts it again: its plan is made as at the start of a pod, and the launcher gets the same bytes.
 *
 * @throws RktError `not-found`, `wrong-state`, `unprepared`, and `launcher` with the launcher's own line.
 */
export async function startApp(options: StartAppOptions): Promise<void> {
  const { pod, signal } = options
  const prepared = loadPreparedPod(pod)
  const app = prepared.apps.find(({ name }) => name === options.app)
  if (!isMutable(prepared.manifest)) throw new RktError('wrong-state', `cannot start app: pod "${pod.uuid}" is immutable`)
  if (app === undefined) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(options.app)}`)
  const { operations, warnings } = await planLaterApp({ ...prepared, apps: [app] }, app, options)
  for (const warning of warnings) options.warn(warning)
  await withPlan(encodeAppPlan(operations), (planFd) => askLauncher({ argv: ['app-start', '3', '4'], descriptors: [planFd, pod.fd], signal }))
}

/** Stops an app; one that does not run is stopped. With `force` it is killed at once. */
export async function stopApp({ pod, app, signal, force }: LaterAppOptions & { readonly force: boolean }): Promise<void> {
  await withPlan(named(app), (planFd) => askLauncher({ argv: ['app-stop', '3', '4', force ? '1' : '0'], descriptors: [planFd, pod.fd], signal }))
}

/**
 * Lets the launcher forget an app that has ended, and removes its groups.
 *
 * @throws RktError `launcher` for an app that runs.
 */
export async function forgetApp({ pod, app, signal }: LaterAppOptions): Promise<void> {
  await withPlan(named(app), (planFd) => askLauncher({ argv: ['app-remove', '3', '4'], descriptors: [planFd, pod.fd], signal }))
}

function named(app: string): Uint8Array {
  return encodeEnterPlan([{ op: 'app', name: app }])
}

async function withPlan(bytes: Uint8Array, use: (planFd: number) => Promise<void>): Promise<void> {
  const planFd = binding().sealedMemfd('rkt-app-plan', bytes)
  try {
    await use(planFd)
  } finally {
    closeSync(planFd)
  }
}

async function planLaterApp(
  prepared: PreparedPod,
  app: PreparedApp,
  { pod, term }: StartAppOptions,
): Promise<{ readonly operations: readonly Operation[]; readonly warnings: readonly string[] }> {
  const { runtime, cgroups } = readKeptInputs(pod)
  const filter = runtime.insecure.seccomp ? undefined : await appFilter(app.app.isolators, { dataDir: pod.dataDir })
  const { plan, warnings } = planPod({
    pod: prepared,
    runtime,
    host: readHostFacts(prepared, { term, cgroups }),
    roots: new Map([[app.name, readRootFacts(app, { idCount: prepared.idRange?.count ?? mappedIdCount() ?? 2 ** 32 - 1 })]]),
    filters: filter === undefined ? new Map() : new Map([[app.name, filter]]),
    networkEnd: [],
    networkDns: (statSync(pod.inside(podFiles.resolvConf), { throwIfNoEntry: false })?.size ?? 0) > 0,
    garbagePath: '',
  })
  const [operations] = plan.apps
  if (operations === undefined) throw new Error(`a plan without app ${app.name}`)
  return { operations, warnings }
}
