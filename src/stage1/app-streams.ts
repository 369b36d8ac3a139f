import { createHash } from 'node:crypto'
import { RktError, unreachable } from '../base/index.ts'
import { type InputMode, type OutputMode, type PreparedApp, type PreparedPod, streamModes } from '../pod/index.ts'
import { valueOf } from '../spec/index.ts'
import type { EnvironmentOptions } from './environment.ts'
import type { HostFacts } from './facts.ts'
import { logOperation } from './log-place.ts'
import { passedTo } from './passed-sockets.ts'
import { stdioMode } from './plan/flags.ts'
import type { Operation } from './plan/operations.ts'
import type { RuntimeOptions } from './runtime-options.ts'

export interface AppStreams {
  readonly operations: readonly Operation[]
  /** What the app learns of it. */
  readonly environment: Pick<EnvironmentOptions, 'term' | 'notifySocket'>
}

export interface AppStreamsInputs {
  readonly pod: PreparedPod
  readonly app: PreparedApp
  readonly runtime: RuntimeOptions
  readonly host: HostFacts
}

/**
 * Where the standard streams of an app lead, what is kept of them, and which sockets it gets beside them.
 *
 * @throws RktError `invalid-manifest`.
 */
export function planStreams(inputs: AppStreamsInputs): AppStreams {
  const { pod, app, runtime, host } = inputs
  const stdio = planStdio(inputs)
  const tty = stdio.some((mode) => mode === stdioMode.terminal || mode === stdioMode.attachTerminal)
  const [stdin, stdout, stderr] = stdio
  const written = stdout !== stdioMode.null || stderr !== stdioMode.null
  const sockets = passedTo(pod, app, host.sockets)
  const notifySocket = notifySocketOf(pod, app)
  return {
    operations: [
      { op: 'stdio', stdin, stdout, stderr },
      ...(written ? [logOperation(pod, app, runtime.logs)] : []),
      ...(sockets.length === 0 ? [] : [{ op: 'listen', descriptors: sockets.map(({ fd }) => fd), names: sockets.map(({ name }) => name) } as const]),
      ...(notifySocket === undefined ? [] : [{ op: 'notify-socket', address: notifySocket } as const]),
    ],
    environment: {
      ...(tty ? { term: host.term } : {}),
      ...(notifySocket === undefined ? {} : { notifySocket }),
    },
  }
}

export interface StdioInputs {
  readonly app: Pick<PreparedApp, 'name' | 'runtime'>
  readonly runtime: Pick<RuntimeOptions, 'interactive'>
  readonly host: Pick<HostFacts, 'terminal'>
}

/** What the launcher makes of the modes of an app; `--interactive` connects all three to the caller. */
export function planStdio({ app, runtime, host }: StdioInputs): readonly [stdin: number, stdout: number, stderr: number] {
  const callers = host.terminal ? stdioMode.terminal : stdioMode.pipe
  if (runtime.interactive) return [callers, callers, callers]
  const mode = (name: InputMode | OutputMode): number => {
    switch (name) {
      case 'null':
        return stdioMode.null
      case 'log':
        return stdioMode.pipe
      case 'stream':
        return stdioMode.stream
      case 'tty':
        return stdioMode.attachTerminal
      case 'interactive':
        return callers
      default:
        return unreachable(name)
    }
  }
  const { stdin, stdout, stderr } = streamModes(app.runtime)
  const modes = [mode(stdin), mode(stdout), mode(stderr)] as const
  if (modes.includes(stdioMode.terminal) && modes.includes(stdioMode.attachTerminal)) {
    throw new RktError('invalid-manifest', `cannot connect the streams of app "${app.name}": one terminal is the caller's or for those who attach, not both`)
  }
  return modes
}

/**
 * SPEC: the original's annotation of images whose program tells its state. The address is abstract (it needs no place in the app's tree),
 * and short whatever the app is called.
 */
function notifySocketOf(pod: Pick<PreparedPod, 'uuid'>, app: PreparedApp): string | undefined {
  if (valueOf(app.imageManifest.annotations, 'appc.io/executor/supports-systemd-notify') !== 'true') return undefined
  return `@rkt/${pod.uuid}/${createHash('sha256').update(app.name).digest('hex').slice(0, 16)}`
}
