import type { App } from '../spec/index.ts'

/** SPEC: appc 0.8.11 ace.md, Execution Environment; set only where the app does not. */
const defaults: readonly (readonly [name: string, value: string])[] = [
  ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  ['USER', 'root'],
  ['LOGNAME', 'root'],
  ['HOME', '/root'],
  ['SHELL', '/bin/sh'],
]

export interface EnvironmentOptions {
  readonly appName: string
  /** Of the metadata service, where the pod has registered. */
  readonly metadataUrl?: string | undefined
  /** Set for apps with a terminal. */
  readonly term?: string
  /** Where the app may tell its state. */
  readonly notifySocket?: string
}

/** The environment of an app as `NAME=value` lines: defaults, the app's own, then what the runtime always sets. */
export function appEnvironment(app: App, options: EnvironmentOptions): string[] {
  const variables = new Map<string, string>(defaults)
  variables.set('container', 'rkt')
  if (options.term !== undefined) variables.set('TERM', options.term)
  for (const { name, value } of app.environment) variables.set(name, value)
  variables.set('AC_APP_NAME', options.appName)
  if (options.notifySocket !== undefined) variables.set('NOTIFY_SOCKET', options.notifySocket)
  if (options.metadataUrl !== undefined) variables.set('AC_METADATA_URL', options.metadataUrl)
  return [...variables].map(([name, value]) => `${name}=${value}`)
}
