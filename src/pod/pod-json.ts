import type { NetInfo, PodPort } from '../network/index.ts'
import { isolationText } from '../spec/index.ts'
import type { AppStatus } from './app-status.ts'
import type { PodStatus } from './status.ts'

type Json = Readonly<Record<string, unknown>>

/** A pod as `list` and `status` write it with `--format=json`: the original's members, and `failure`, `isolation` and `signature` besides. */
export function podToJson(pod: PodStatus): Json {
  return {
    name: pod.uuid,
    state: pod.state,
    ...filled('networks', pod.networks.map(networkToJson)),
    ...filled('ports', pod.state === 'running' ? pod.ports.map(portToJson) : []),
    ...filled('degraded', pod.degraded),
    app_names: pod.apps.map((app) => app.name),
    ...filled('apps', pod.apps.map(appToJson)),
    ...seconds('created_at', pod.createdAtMs),
    ...seconds('started_at', pod.startedAtMs),
    ...map('user_annotations', pod.manifest?.userAnnotations),
    ...map('user_labels', pod.manifest?.userLabels),
    ...known('isolation', pod.isolation && isolationText(pod.isolation)),
    ...known('failure', pod.failure),
  }
}

/** All pods of `list`; Go wrote `null` for none. */
export function podListToJson(pods: readonly PodStatus[]): readonly Json[] | null {
  return pods.length === 0 ? null : pods.map(podToJson)
}

/** One app, as in its pod. */
export function appToJson(app: AppStatus): Json {
  return {
    name: app.name,
    state: app.state,
    ...nanoseconds('created_at', app.createdAtMs),
    ...nanoseconds('started_at', app.startedAtMs),
    ...nanoseconds('finished_at', app.finishedAtMs),
    ...known('exit_code', app.exitCode),
    ...known('reason', app.reason),
    image_id: app.imageID,
    ...filled('mounts', app.mounts.map(({ name, containerPath, hostPath, readOnly }) => ({ name, container_path: containerPath, host_path: hostPath, read_only: readOnly }))),
    ...map('user_annotations', app.userAnnotations),
    ...map('user_labels', app.userLabels),
    ...known('signature', app.signature),
  }
}

function networkToJson({ netName, netConf, pluginPath, ifName, ip, args, mask }: NetInfo): Json {
  return { netName, netConf, pluginPath, ifName, ip, args, mask }
}

function portToJson({ name, protocol, hostIP, hostPort, podIP, podPort }: PodPort): Json {
  return { name, protocol, hostIP, hostPort, podIP, podPort }
}

function seconds(name: string, timeMs: number | undefined): Json {
  return known(name, timeMs === undefined ? undefined : Math.floor(timeMs / 1000))
}

/** A whole number of nanoseconds; a JavaScript number keeps it to a quarter of a microsecond. */
function nanoseconds(name: string, timeMs: number | undefined): Json {
  return known(name, timeMs === undefined ? undefined : Math.round(timeMs * 1e6))
}

function known(name: string, value: unknown): Json {
  return value === undefined ? {} : { [name]: value }
}

function filled(name: string, items: readonly unknown[]): Json {
  return items.length === 0 ? {} : { [name]: items }
}

function map(name: string, entries: Readonly<Record<string, string>> | undefined): Json {
  if (entries === undefined || Object.keys(entries).length === 0) return {}
  return { [name]: Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))) }
}
