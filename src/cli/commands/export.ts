import { basename, extname, resolve } from 'node:path'
import { RktError } from '../../base/index.ts'
import { exportApp, openPods } from '../../pod/index.ts'
import { takeTwo } from '../arguments.ts'
import { chooseApp } from '../choose-app.ts'
import type { Context } from '../context.ts'
import { findPod } from '../find-pod.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Writes an app of an exited pod as an image. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const [text, file] = takeTwo(invocation, ['pod UUID', 'output file'])
  if (extname(basename(file)) !== '.aci') throw new RktError('usage', `extension must be .aci (given ${file})`)
  using pod = findPod(openPods(context.dataDir), text)
  if (pod.state !== 'exited' && pod.state !== 'exited garbage') throw new RktError('wrong-state', 'pod is not exited. Only exited pods can be exported')
  await exportApp(pod, {
    app: chooseApp(pod, invocation),
    out: resolve(context.cwd, file),
    overwrite: invocation.flags.bool('overwrite'),
    log: context.log,
    signal: context.signal,
  })
  return 0
}
