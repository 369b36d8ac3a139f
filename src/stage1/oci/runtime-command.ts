import { join } from 'node:path'
import type { RuntimeOptions } from '../runtime-options.ts'
import type { OciRuntime } from './find-runtime.ts'

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
      return [...command, '--ignore-cgroups', `--network=${net === 'networks' ? 'sandbox' : net}`]
    case 'runc':
      return command
  }
}
