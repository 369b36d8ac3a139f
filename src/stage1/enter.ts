import { readFileSync } from 'node:fs'
import { binding, RktError } from '../base/index.ts'
import { loadPreparedPod, type Pod } from '../pod/index.ts'
import { appEnvironment } from './environment.ts'
import { launcherPath } from './launcher.ts'
import { confinementOf } from './ns/plan-app.ts'
import { encodeEnterPlan } from './plan/encode.ts'
import { stdioMode } from './plan/flags.ts'
import type { Operation } from './plan/operations.ts'
import { readRootFacts } from './read-facts.ts'
import type { InsecureRun } from './runtime-options.ts'
import { appFilter } from './app-filter.ts'

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
  const insecure = readInsecure(pod)
  const filter = insecure.seccomp ? undefined : await appFilter(app.app.isolators, { dataDir: pod.dataDir })
  const root = readRootFacts(app, { idCount: prepared.idRange?.count ?? 2 ** 32 - 1 })
  // As in the original, who enters is root, whatever the app's user is.
  const entering = { ...root, user: { uid: 0, gid: 0, groups: [0] } }
  const mode = binding().isTerminal(0) && binding().isTerminal(1) ? stdioMode.terminal : stdioMode.pipe
  const plan: Operation[] = [
    { op: 'app', name: app.name },
    ...confinementOf({ app, runtime: { insecure }, root: entering, ...(filter === undefined ? {} : { seccomp: filter }) }),
    { op: 'working-directory', path: '/' },
    { op: 'environment', variables: appEnvironment(app.app, { appName: app.name, term: options.term ?? 'vt100' }) },
    { op: 'exec', argv },
    { op: 'stdio', stdin: mode, stdout: mode, stderr: mode },
  ]
  const planFd = binding().sealedMemfd('rkt-enter-plan', encodeEnterPlan(plan))
  const owner = prepared.idRange?.shift ?? 0
  const keep = [planFd, pod.fd, ...(callerFd === undefined ? [] : [callerFd])]
  const words = ['launcher', 'enter', String(planFd), String(pod.fd), String(callerFd ?? -1), String(owner)]
  return binding().execLauncher(launcherPath(), words, [], keep)
}

/** What this pod was started without; written by `startPod`, below a directory that only root can change. */
function readInsecure(pod: Pod): InsecureRun {
  const config: unknown = JSON.parse(readFileSync(pod.inside('runtime-config'), 'utf8'))
  const insecure = isRecord(config) ? config['insecure'] : undefined
  const flag = (name: string): boolean => isRecord(insecure) && insecure[name] === true
  return { capabilities: flag('capabilities'), paths: flag('paths'), seccomp: flag('seccomp') }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
