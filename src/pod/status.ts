import { readFileSync, statSync } from 'node:fs'
import { errorText, escapeText, isErrno, type PodUUID } from '../base/index.ts'
import { isKeeperAlive, type NetInfo, type PodPort, readNetInfo, readPortRecord } from '../network/index.ts'
import type { Isolation, PodManifest } from '../spec/index.ts'
import { type AppStatus, readAppStatus } from './app-status.ts'
import { podFile } from './layout.ts'
import { isMutable } from './mutable.ts'
import type { Pod } from './pod.ts'
import { readManifest, readPodIsolation } from './prepared-pod.ts'
import type { PodState } from './state.ts'

/** What can be told of a pod without its lock, from its directory alone. Times are milliseconds since 1970. */
export interface PodStatus {
  readonly uuid: PodUUID
  readonly state: PodState
  /** Undefined before the preparation has ended, or when it cannot be read. */
  readonly manifest: PodManifest | undefined
  /** Undefined until the pod is prepared. */
  readonly createdAtMs: number | undefined
  readonly startedAtMs: number | undefined
  /** When a collection found that the pod had exited. */
  readonly gcMarkedAtMs: number | undefined
  /** Host pid of the pod's first process; of a pod that has ended, what it was. */
  readonly pid: number | undefined
  readonly networks: readonly NetInfo[]
  readonly isolation: Isolation | undefined
  readonly ports: readonly PodPort[]
  /** What a running pod has lost of what it was given, one line each. */
  readonly degraded: readonly string[]
  readonly apps: readonly AppStatus[]
  /** Why the start failed, in one line. */
  readonly failure: string | undefined
  /** What could not be read, one line each; the rest is true all the same. */
  readonly faults: readonly string[]
}

/** Reads what the pod directory tells; never throws for the content of a pod. */
export function readStatus(pod: Pod): PodStatus {
  const faults: string[] = []
  const attempt = <T>(what: string, read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) faults.push(`cannot read ${what} of pod "${pod.uuid}": ${errorText(error)}`)
      return undefined
    }
  }
  const prepared = pod.state !== 'embryo' && pod.state !== 'preparing' && pod.state !== 'aborted prepare'
  const manifest = prepared ? attempt('manifest', () => readManifest(pod)) : undefined
  const times = {
    createdAtMs: prepared ? attempt('creation time', () => statSync(pod.inside(podFile.created)).mtimeMs) : undefined,
    startedAtMs: attempt('start time', () => statSync(pod.inside(podFile.pid)).mtimeMs),
    gcMarkedAtMs: pod.stage === 'exited-garbage' ? pod.movedAtMs : undefined,
  }
  const held = attempt('ports', () => readPortRecord(pod.inside('.')))
  const apps = (manifest?.apps ?? []).map((app) => readAppStatus(pod, { app, volumes: manifest?.volumes ?? [], mutable: manifest !== undefined && isMutable(manifest), attempt }))
  return {
    uuid: pod.uuid,
    state: pod.state,
    ...times,
    manifest,
    pid: attempt('pid', () => readPid(pod)),
    networks: attempt('networks', () => readNetInfo(pod.inside('.'))) ?? [],
    isolation: prepared ? attempt('isolation', () => readPodIsolation(pod)) : undefined,
    ports: held?.ports ?? [],
    degraded: pod.state === 'running' && held?.keeper !== undefined && !isKeeperAlive(held.keeper) ? ['the process that holds the ports and packet rules has ended'] : [],
    apps,
    failure: attempt('failure', () => firstLine(readFileSync(pod.inside(podFile.failure), 'utf8'))),
    faults,
  }
}

/** The host pid that the launcher has written; undefined while it has not. */
export function readPid(pod: Pod): number | undefined {
  let text: string
  try {
    text = readFileSync(pod.inside(podFile.pid), 'latin1').trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
}

function firstLine(text: string): string | undefined {
  const line = text.split('\n')[0]?.trim() ?? ''
  return line === '' ? undefined : escapeText(line)
}
