import { RktError } from '../../base/index.ts'
import { openPods, waitForStart } from '../../pod/index.ts'
import { enterPod } from '../../stage1/index.ts'
import { usage, uuidFromFile } from '../arguments.ts'
import { chooseApp } from '../choose-app.ts'
import type { Context } from '../context.ts'
import { findPod } from '../find-pod.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Runs a command in an app of a running pod: this process becomes the command. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const fromFile = uuidFromFile(context, invocation)
  const [text, ...command] = fromFile === undefined ? invocation.words : [fromFile, ...invocation.words]
  if (text === undefined) throw usage(invocation, 'must provide the pod UUID')
  using pod = findPod(openPods(context.dataDir), text)
  if (pod.state !== 'running') throw new RktError('wrong-state', `pod "${pod.uuid}" isn't currently running`)
  const app = chooseApp(pod, invocation)
  if (command.length === 0) context.log.info('no command specified, assuming "/bin/bash"')
  await waitForStart(pod, { signal: context.signal })
  context.interrupt.release()
  return await enterPod({
    pod,
    app,
    argv: command.length === 0 ? ['/bin/bash'] : command,
    term: context.env['TERM'] ?? 'vt100',
    ...(context.callerFd === undefined ? {} : { callerFd: context.callerFd }),
  })
}
