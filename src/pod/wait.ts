import { lstatSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { RktError } from '../base/index.ts'
import { dataPaths, podFile } from './layout.ts'
import { untilUnlocked } from './lock-wait.ts'
import { isAt } from './pod-lock.ts'
import type { Pod } from './pod.ts'
import { openPod } from './pods.ts'
import { hasRun } from './state.ts'

export interface WaitOptions {
  /** Left out: as long as it takes. */
  readonly timeoutMs?: number
  readonly signal: AbortSignal
}

/**
 * Waits until the pod has ended, also one that has yet to be run.
 *
 * @throws RktError `timeout` with the original's text, `not-found` when the pod was removed meanwhile.
 */
export async function waitForExit(pod: Pod, options: WaitOptions): Promise<void> {
  await waitFor(pod, { ...options, what: 'finish', next: (current) => (isOver(current) ? undefined : changeOf(current)) })
}

/**
 * Waits until every app with which the pod began executes, and those that tell when they are ready have told so; or the pod has ended.
 *
 * @throws RktError `timeout`, `not-found`.
 */
export async function waitForReady(pod: Pod, options: WaitOptions): Promise<void> {
  await waitForFile(pod, podFile.ready, options)
}

/** Whether `waitForReady` has nothing to wait for in a running pod. */
export function isReady(pod: Pod): boolean {
  return lstatSync(pod.inside(podFile.ready), { throwIfNoEntry: false }) !== undefined
}

/**
 * Waits until every app with which the pod began executes, ready or not, or the pod has ended.
 *
 * @throws RktError `timeout`, `not-found`.
 */
export async function waitForStart(pod: Pod, options: WaitOptions): Promise<void> {
  await waitForFile(pod, podFile.pid, options)
}

async function waitForFile(pod: Pod, path: string, options: WaitOptions): Promise<void> {
  await waitFor(pod, {
    ...options,
    what: 'get ready',
    next(current) {
      if (isOver(current)) return undefined
      if (current.state !== 'running') return changeOf(current)
      const there = (): boolean => lstatSync(current.inside(path), { throwIfNoEntry: false }) !== undefined
      return there() ? undefined : [...changeOf(current), changeIn(current.inside(dirname(path)), { unless: there })]
    },
  })
}

/** Something that may happen: settles when it has, or rejects when the signal fires. */
type Event = (signal: AbortSignal) => Promise<void>

interface Wait extends WaitOptions {
  readonly what: string
  /** What to wait for before looking again; undefined when there is nothing to wait for any more. */
  readonly next: (pod: Pod) => readonly Event[] | undefined
}

async function waitFor(pod: Pod, { timeoutMs, signal, what, next }: Wait): Promise<void> {
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  const either = deadline === undefined ? signal : AbortSignal.any([signal, deadline])
  try {
    for (;;) {
      using current = openPod(pod.dataDir, pod.uuid)
      if (current === undefined) throw new RktError('not-found', `pod "${pod.uuid}" was not present`)
      const events = next(current)
      if (events === undefined) return
      await firstOf(events, either)
    }
  } catch (cause) {
    if (deadline?.aborted !== true || signal.aborted) throw cause
    throw new RktError('timeout', `error waiting for pod to ${what}: context deadline exceeded`, { cause })
  }
}

function isOver({ state }: Pod): boolean {
  return hasRun(state) || state === 'garbage' || state === 'aborted prepare'
}

/** What ends the present state: the lock is dropped, or the directory moves to another stage. */
function changeOf(pod: Pod): Event[] {
  const moved: Event = async (signal) => {
    const parent = dataPaths(pod.dataDir).stage(pod.stage)
    await changeIn(parent, { name: pod.uuid, unless: () => !isAt(pod.fd, join(parent, pod.uuid)) })(signal)
  }
  if (pod.state === 'running') return [(signal) => untilUnlocked(pod.fd, signal)]
  if (pod.state === 'preparing') return [moved, (signal) => untilUnlocked(pod.fd, signal)]
  return [moved]
}

interface ChangeOptions {
  /** Only this entry is of interest. */
  readonly name?: string
  /** Asked once the watch stands: whether the change has come before it. */
  readonly unless?: () => boolean
}

function changeIn(directory: string, { name, unless }: ChangeOptions = {}): Event {
  return async (signal) => {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const watcher = watch(directory, { signal })
      const end = (settle: () => void) => (): void => {
        watcher.close()
        settle()
      }
      watcher.on('change', (_kind, changed) => {
        if (name === undefined || changed === name) end(resolve)()
      })
      watcher.on('error', (error) => end(() => reject(error))())
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      if (unless?.() === true) end(resolve)()
    })
  }
}

/** Settles with the first event and ends the wait for the others. */
async function firstOf(events: readonly Event[], signal: AbortSignal): Promise<void> {
  const losers = new AbortController()
  const all = AbortSignal.any([signal, losers.signal])
  const waits = events.map((event) => event(all))
  try {
    await Promise.race(waits)
  } finally {
    losers.abort()
    await Promise.allSettled(waits)
  }
}
