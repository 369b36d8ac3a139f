import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isErrno } from '../base/index.ts'
import { type DnsSettings, hostsFile, resolvConf } from '../network/index.ts'
import type { Pod } from '../pod/index.ts'
import { podFiles } from './ns/plan-app.ts'
import type { RuntimeOptions } from './runtime-options.ts'

export interface PodFileSources {
  readonly runtime: RuntimeOptions
  /** Name servers that a network gave the pod. */
  readonly network?: { readonly networkName: string; readonly settings: DnsSettings }
}

/** Writes the files that the runtime provides to apps: host name, hosts, resolver. */
export function writePodFiles(pod: Pod, sources: PodFileSources): void {
  mkdirSync(pod.inside('files'), { recursive: true, mode: 0o755 })
  chmodSync(pod.inside('files'), 0o755)
  // Apps of any user read them, whatever the caller's umask.
  const write = (path: string, text: string): void => {
    writeFileSync(pod.inside(path), text)
    chmodSync(pod.inside(path), 0o644)
  }
  for (const [path, text] of Object.entries(podFileTexts(sources))) write(path, text)
}

/** Their contents, by their paths in the pod directory. */
export function podFileTexts({ runtime, network }: PodFileSources): Readonly<Record<string, string>> {
  return {
    [podFiles.hostname]: `${runtime.hostname}\n`,
    [podFiles.hosts]: hostsFile(runtime.hosts, { hostname: runtime.hostname, readHost: () => readHost('/etc/hosts') }).text,
    [podFiles.resolvConf]: resolvConf(runtime.dns, { readHost: () => readHost('/etc/resolv.conf'), ...(network === undefined ? {} : { network }) }) ?? '',
  }
}

function readHost(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}
