import { quote, RktError } from '../../base/index.ts'
import { openPods, waitForStart } from '../../pod/index.ts'
import { attachPod, type Endpoint, endpointsOf } from '../../stage1/index.ts'
import { podText } from '../changing-pod.ts'
import { chooseApp } from '../choose-app.ts'
import type { Context } from '../context.ts'
import { findPod } from '../find-pod.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Attaches to streams of a running app: this process becomes the client. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  using pod = findPod(openPods(context.dataDir), podText(context, invocation))
  if (pod.state !== 'running') throw new RktError('wrong-state', `pod "${pod.uuid}" isn't currently running`)
  const app = chooseApp(pod, invocation)
  const offered = endpointsOf(pod, app)
  const mode = invocation.flags.text('mode') ?? 'auto'
  if (mode === 'list') {
    context.out(offered.join('\n'))
    return 0
  }
  const endpoints = chooseEndpoints(mode, offered)
  await waitForStart(pod, { signal: context.signal })
  context.interrupt.release()
  return attachPod({ pod, app, endpoints, ...(context.callerFd === undefined ? {} : { callerFd: context.callerFd }) })
}

const terminal: readonly Endpoint[] = ['tty-in', 'tty-out']
const streams: readonly Endpoint[] = ['stdin', 'stdout', 'stderr']

/** @throws RktError `usage`, `not-found`. */
function chooseEndpoints(mode: string, offered: readonly Endpoint[]): readonly Endpoint[] {
  const wanted = mode === 'auto' ? automatic(offered) : mode === 'tty' ? terminal : mode.split(',').map(readEndpoint)
  if (wanted.some(isTerminal) && !wanted.every(isTerminal)) throw new RktError('usage', 'cannot attach: tty and stream modes cannot be mixed')
  const missing = wanted.find((endpoint) => !offered.includes(endpoint))
  if (wanted.length === 0 || missing !== undefined) {
    throw new RktError('not-found', `cannot attach to ${missing === undefined ? 'the app' : quote(missing)}: it offers ${offered.length === 0 ? 'nothing' : offered.join(', ')}`, {
      hint: 'run the app with --stdin, --stdout and --stderr',
    })
  }
  return wanted
}

/** The terminal when there is one, else all streams. */
function automatic(offered: readonly Endpoint[]): readonly Endpoint[] {
  const ofTerminal = offered.filter(isTerminal)
  return ofTerminal.length > 0 ? ofTerminal : offered
}

function isTerminal(endpoint: Endpoint): boolean {
  return terminal.includes(endpoint)
}

function readEndpoint(text: string): Endpoint {
  const found = [...terminal, ...streams].find((endpoint) => endpoint === text)
  if (found === undefined) throw new RktError('usage', `invalid attach mode ${quote(text)}`, { hint: 'expected auto, list, tty, tty-in, tty-out, or a list of stdin, stdout and stderr' })
  return found
}
