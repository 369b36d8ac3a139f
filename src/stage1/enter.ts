import { binding, RktError } from '../base/index.ts'
import { loadPreparedPod, type Pod, type PreparedApp, type PreparedPod } from '../pod/index.ts'
import { appEnvironment } from './environment.ts'
import { launcherPath } from './launcher.ts'
import { readMetadataUrl } from './metadata-url.ts'
import { encodeEnterPlan } from './plan/encode.ts'
import { stdioMode } from './plan/flags.ts'
import type { Operation } from './plan/operations.ts'

export interface EnterOptions {
  /** Running. */
  readonly pod: Pod
  readonly app: string
  readonly argv: readonly string[]
  /** The caller's TERM. */
  readonly term?: string
  readonly callerFd?: number
}

/**
 * Runs a program in a running app, with the app's own confinement: this process becomes the client that passes input and output on,
 * and never returns.
 *
 * @throws RktError `not-found` for an app that the pod does not have.
 */
export async function enterPod(options: EnterOptions): Promise<never> {
  const { pod, argv, callerFd } = options
  const prepared = loadPreparedPod(pod)
  const app = prepared.apps.find(({ name }) => name === options.app)
  if (app === undefined) throw new RktError('not-found', `cannot enter pod "${pod.uuid}": it has no app ${JSON.stringify(options.app)}`)
  const mode = binding().isTerminal(0) && binding().isTerminal(1) ? stdioMode.terminal : stdioMode.pipe
  // Confinement is not here: the pod's init takes that of the app itself.
  const plan: Operation[] = [
    { op: 'app', name: app.name },
    // As in the original, who enters is root, whatever the app's user is.
    { op: 'user', uid: 0, gid: 0, groups: [0] },
    { op: 'working-directory', path: '/' },
    ...(await programOf(prepared, { app, argv, metadataUrl: readMetadataUrl(pod), term: options.term ?? 'vt100', terminal: mode === stdioMode.terminal })),
    { op: 'stdio', stdin: mode, stdout: mode, stderr: mode },
  ]
  const planFd = binding().sealedMemfd('rkt-enter-plan', encodeEnterPlan(plan))
  const owner = prepared.idRange?.shift ?? 0
  const keep = [planFd, pod.fd, ...(callerFd === undefined ? [] : [callerFd])]
  const words = ['launcher', 'enter', String(planFd), String(pod.fd), String(callerFd ?? -1), String(owner)]
  return binding().execLauncher(launcherPath(), words, [], keep)
}

interface Entering {
  readonly app: PreparedApp
  readonly argv: readonly string[]
  readonly metadataUrl: string | undefined
  readonly term: string
  readonly terminal: boolean
}

/** The program that is to run, or the runtime that runs it where one has made the app. */
async function programOf(pod: PreparedPod, { app, argv, metadataUrl, term, terminal }: Entering): Promise<Operation[]> {
  const variables = appEnvironment(app.app, { appName: app.name, metadataUrl, term })
  if (pod.isolation.kind !== 'oci') return [{ op: 'environment', variables }, { op: 'exec', argv }]
  const { runtimeExec } = await import('./oci/runtime-command.ts')
  return runtimeExec(pod, { app: app.name, argv, variables, terminal })
}
