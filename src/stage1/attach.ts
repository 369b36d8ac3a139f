import { binding, quote, RktError } from '../base/index.ts'
import { loadPreparedPod, type Pod } from '../pod/index.ts'
import { planStdio } from './app-streams.ts'
import { launcherPath } from './launcher.ts'
import { encodeEnterPlan } from './plan/encode.ts'
import { stdioMode } from './plan/flags.ts'

/** A place of an app to which others can attach. */
export type Endpoint = 'stdin' | 'stdout' | 'stderr' | 'tty-in' | 'tty-out'

export interface AttachOptions {
  /** Running. */
  readonly pod: Pod
  readonly app: string
  /** Streams, or sides of the terminal, but not both. */
  readonly endpoints: readonly Endpoint[]
  readonly callerFd?: number
}

/**
 * What an app offers to those who attach.
 *
 * @throws RktError `not-found`.
 */
export function endpointsOf(pod: Pod, appName: string): readonly Endpoint[] {
  const modes = modesOf(pod, appName)
  const names = ['stdin', 'stdout', 'stderr'] as const
  const streams = names.filter((_, index) => modes[index] === stdioMode.stream)
  const [stdin, stdout, stderr] = modes.map((mode) => mode === stdioMode.attachTerminal)
  return [...(stdin === true ? ['tty-in' as const] : []), ...(stdout === true || stderr === true ? ['tty-out' as const] : []), ...streams]
}

/**
 * Copies between the caller and an app until one of them ends; the app runs on when the caller goes. This process becomes the client,
 * and never returns.
 *
 * @throws RktError `not-found`.
 */
export function attachPod({ pod, app, endpoints, callerFd }: AttachOptions): never {
  const modes = modesOf(pod, app)
  // A terminal has one output side, whichever of the two descriptors it is.
  const ttyOut = modes[1] === stdioMode.attachTerminal ? 1 : 2
  const asked: [number, number, number] = [stdioMode.null, stdioMode.null, stdioMode.null]
  for (const endpoint of endpoints) {
    if (endpoint === 'tty-in') asked[0] = stdioMode.attachTerminal
    else if (endpoint === 'tty-out') asked[ttyOut] = stdioMode.attachTerminal
    else asked[streamNumber[endpoint]] = stdioMode.stream
  }
  const [stdin, stdout, stderr] = asked
  const planFd = binding().sealedMemfd('rkt-attach-plan', encodeEnterPlan([{ op: 'app', name: app }, { op: 'stdio', stdin, stdout, stderr }]))
  const keep = [planFd, pod.fd, ...(callerFd === undefined ? [] : [callerFd])]
  return binding().execLauncher(launcherPath(), ['launcher', 'attach', String(planFd), String(pod.fd), String(callerFd ?? -1)], [], keep)
}

const streamNumber = { stdin: 0, stdout: 1, stderr: 2 } as const

function modesOf(pod: Pod, appName: string): readonly number[] {
  const app = loadPreparedPod(pod).apps.find(({ name }) => name === appName)
  if (app === undefined) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(appName)}`)
  return planStdio({ app, runtime: { interactive: false }, host: { terminal: false } })
}
