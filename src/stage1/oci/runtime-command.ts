import { join } from 'node:path'
import type { PreparedPod } from '../../pod/index.ts'
import type { Operation } from '../plan/operations.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import { findRuntime, type OciRuntime } from './find-runtime.ts'

/** Directory of an app's `config.json` and `rootfs`. */
export function bundleOf(podDir: string, appName: string): string {
  return join(podDir, 'oci', appName)
}

/** The name of an app among the containers of a runtime. */
export function appID(uuid: string, appName: string): string {
  return `rkt-${uuid}-${appName}`
}

/** The runtime with the options that stand before its verb; its state lies in the pod directory and goes with it. */
export function runtimeCommand({ path, kind }: OciRuntime, { podDir, net }: { readonly podDir: string; readonly net: RuntimeOptions['net']['kind'] }): string[] {
  const command = [path, '--root', join(podDir, 'oci', 'state')]
  switch (kind) {
    case 'crun':
      // The app stays in the group that the launcher made, with its limits.
      return [...command, '--cgroup-manager=disabled']
    case 'runsc':
      return [...command, '--ignore-cgroups', '--oci-seccomp', `--network=${net === 'networks' ? 'sandbox' : net}`]
    case 'runc':
      return command
  }
}

/** The environment of a runtime itself. */
export const runtimeEnvironment: readonly string[] = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']

export interface RuntimeExecOptions {
  readonly app: string
  readonly argv: readonly string[]
  /** `NAME=value` lines. */
  readonly variables: readonly string[]
  readonly terminal: boolean
}

/**
 * Runs another program in an app, as its root and in its root directory.
 *
 * @throws RktError `missing-tool` when the runtime is gone.
 */
export function runtimeExec(pod: PreparedPod, { app, argv, variables, terminal }: RuntimeExecOptions): Operation[] {
  if (pod.isolation.kind !== 'oci') throw new Error(`a pod with isolation ${pod.isolation.kind}`)
  const words = [
    ...runtimeCommand(findRuntime(pod.isolation.runtime), { podDir: pod.dir, net: 'none' }),
    'exec',
    ...(terminal ? ['--tty'] : []),
    '--cwd=/',
    '--user=0:0',
    ...variables.map((line) => `--env=${line}`),
    appID(pod.uuid, app),
    ...argv,
  ]
  return [{ op: 'environment', variables: runtimeEnvironment }, { op: 'exec', argv: words }]
}
