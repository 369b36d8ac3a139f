import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { setImmediate as breathe } from 'node:timers/promises'
import { asPodUUID, isErrno, quote, RktError, type ImageID, type Log } from '../../base/index.ts'
import type { NetInfo } from '../../network/index.ts'
import { type AppStatus, openPods, type Pod, type PodState, type PodStatus, readStatus } from '../../pod/index.ts'
import type { Annotation } from '../../spec/index.ts'
import { type AppMessage, appStates, type ImageMessage, type KeyValue, type ListRequest, type PodFilter, type PodMessage, podStates } from '../messages/index.ts'
import type { ImageFormat } from './image-format.ts'
import { matchesPod } from './pod-filter.ts'

export interface PodSource {
  readonly dataDir: string
  readonly log: Log
  /** The format of a stored image; that of appc when it is not stored any more. */
  readonly formatOf: (id: ImageID) => ImageFormat
}

/** Pods that satisfy any of the filters, all without one; one that cannot be read does not hide the others. */
export async function listPods(source: PodSource, request: ListRequest<PodFilter>, signal: AbortSignal): Promise<readonly PodMessage[]> {
  const pods = openPods(source.dataDir)
  const found: PodMessage[] = []
  for (const uuid of listed(source)) {
    // Other clients get their turn.
    await breathe()
    signal.throwIfAborted()
    using pod = pods.open(uuid)
    if (pod === undefined) continue
    const message = describePod(source, pod)
    if (request.filters.length > 0 && !request.filters.some((filter) => matchesPod(message, filter))) continue
    found.push(request.detail ? message : withoutDetail(message))
  }
  return found
}

/**
 * One pod, in any state, with all details.
 *
 * @throws RktError `usage`, `not-found`.
 */
export function inspectPod(source: PodSource, id: string): PodMessage {
  using pod = openPod(source.dataDir, id)
  return describePod(source, pod)
}

/**
 * The pod with this whole UUID.
 *
 * @throws RktError `usage`, `not-found`.
 */
export function openPod(dataDir: string, id: string): Pod {
  const uuid = asPodUUID(id.toLowerCase())
  if (uuid === undefined) throw new RktError('usage', `cannot use pod ID ${quote(id)}: expected a UUID`)
  const pod = openPods(dataDir).open(uuid)
  if (pod === undefined) throw new RktError('not-found', `pod "${uuid}" was not present`)
  return pod
}

function listed({ dataDir, log }: PodSource): readonly NonNullable<ReturnType<typeof asPodUUID>>[] {
  const pods = openPods(dataDir).list((_uuid, error) => log.debug('api', String(error)))
  return pods.map((pod) => {
    pod[Symbol.dispose]()
    return pod.uuid
  })
}

const states: Readonly<Record<PodState, number>> = {
  embryo: podStates.embryo,
  preparing: podStates.preparing,
  'aborted prepare': podStates.abortedPrepare,
  prepared: podStates.prepared,
  running: podStates.running,
  exited: podStates.exited,
  'exited deleting': podStates.deleting,
  deleting: podStates.deleting,
  'exited garbage': podStates.garbage,
  garbage: podStates.garbage,
}

function describePod(source: PodSource, pod: Pod): PodMessage {
  const status = readStatus(pod)
  return {
    id: status.uuid,
    pid: status.pid ?? -1,
    state: states[status.state],
    apps: status.apps.map((app) => describeApp(source, status, app)),
    networks: status.state === 'running' ? status.networks.map(describeNetwork) : [],
    manifest: status.manifest === undefined ? undefined : readFileSync(pod.inside('pod')),
    annotations: keyValues(status.manifest?.annotations ?? []),
    cgroup: status.state === 'running' ? readCgroup(pod) : '',
    createdAtMs: status.createdAtMs,
    startedAtMs: status.startedAtMs,
    gcMarkedAtMs: status.gcMarkedAtMs,
  }
}

function describeApp({ formatOf: find }: PodSource, { manifest }: PodStatus, app: AppStatus): AppMessage {
  const runtime = manifest?.apps.find(({ name }) => name === app.name)
  const image: ImageMessage = {
    ...find(app.imageID),
    id: app.imageID,
    ...(app.imageName === undefined ? {} : { name: app.imageName, version: app.imageVersion ?? 'latest' }),
  }
  const state = app.state === 'running' ? appStates.running : app.state === 'exited' ? appStates.exited : appStates.undefined
  return { name: app.name, image, state, exitCode: app.exitCode ?? 0, annotations: keyValues(runtime?.annotations ?? []) }
}

/** What a list without details tells of a pod: no manifest, and of the apps neither state nor more of their images than the ID. */
function withoutDetail(pod: PodMessage): PodMessage {
  const apps = pod.apps.map(
    (app): AppMessage => ({ ...app, state: appStates.undefined, exitCode: 0, image: { type: app.image.type, formatVersion: app.image.formatVersion, id: app.image.id } }),
  )
  return { ...pod, apps, manifest: undefined }
}

function describeNetwork({ netName, addresses, ip }: NetInfo): PodMessage['networks'][number] {
  const all = [ip, ...addresses.map((address) => address.ip)]
  return { name: netName, ipv4: all.find((one) => isIP(one) === 4) ?? '', ipv6: all.find((one) => isIP(one) === 6) ?? '' }
}

/** Path of the pod's group in the hierarchy; empty for a pod that has none of its own. */
function readCgroup(pod: Pod): string {
  try {
    const path = readFileSync(pod.inside('subcgroup'), 'utf8').trim()
    return path === '' ? '' : `/${path}`
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    return ''
  }
}

export function keyValues(annotations: readonly Annotation[]): KeyValue[] {
  return annotations.map(({ name, value }) => ({ key: name, value }))
}
