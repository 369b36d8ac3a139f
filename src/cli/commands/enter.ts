import { quote, RktError } from '../../base/index.ts'
import { openPods, readManifest, waitForReady, type Pod } from '../../pod/index.ts'
import { enterPod } from '../../stage1/index.ts'
import type { ACName } from '../../spec/index.ts'
import { usage, uuidFromFile } from '../arguments.ts'
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
  const app = chooseApp(pod, invocation.flags.text('app'))
  if (command.length === 0) context.log.info('no command specified, assuming "/bin/bash"')
  await waitForReady(pod, { signal: context.signal })
  context.interrupt.release()
  return await enterPod({
    pod,
    app,
    argv: command.length === 0 ? ['/bin/bash'] : command,
    term: context.env['TERM'] ?? 'vt100',
    ...(context.callerFd === undefined ? {} : { callerFd: context.callerFd }),
  })
}

function chooseApp(pod: Pod, wanted: string | undefined): ACName {
  const names = readManifest(pod).apps.map(({ name }) => name)
  const [only] = names
  if (wanted !== undefined) {
    const found = names.find((name) => name === wanted)
    if (found === undefined) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(wanted)}`, { hint: `its apps are ${names.join(', ')}` })
    return found
  }
  if (only === undefined) throw new RktError('wrong-state', `pod "${pod.uuid}" has no apps`)
  if (names.length === 1) return only
  const list = names.map((name) => `\t${name}\n`).join('')
  throw new RktError('usage', `pod contains multiple apps:\n${list}specify app using "rkt enter --app= ..."`)
}
