import { existsSync, type FSWatcher, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorText, isErrno, type Log, type PodUUID, RktError } from '../../base/index.ts'
import { openPods, waitForExit } from '../../pod/index.ts'
import { differences } from './differences.ts'
import { EventLog } from './event-log.ts'
import { Look } from './look.ts'
import { nothing, type Snapshot } from './snapshot.ts'

export interface WatchOptions {
  readonly dataDir: string
  readonly log: Log
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What is watched of one pod that may still change. */
interface WatchedPod {
  readonly end: AbortController
  readonly watchers: Map<string, FSWatcher>
}

/** KERNEL: inotify is bounded per user; without it we look this often. */
const blindMs = 1000

/** Below this time between two looks, changes are collected. */
const restMs = 20

/** Watches pods and images, and notes what happens to them, until the signal comes. */
export function watchEvents(options: WatchOptions): EventLog {
  const watching = new Watching(options)
  options.signal.addEventListener('abort', () => watching.end(), { once: true })
  return watching.log
}

class Watching {
  readonly log: EventLog = new EventLog()
  readonly #options: WatchOptions
  readonly #look: Look
  readonly #places = new Map<string, FSWatcher>()
  readonly #pods = new Map<PodUUID, WatchedPod>()
  readonly #changed = new Set<PodUUID>()
  #imagesChanged = false
  #last: Snapshot
  #timer: NodeJS.Timeout | undefined
  #lookedAtMs = 0
  #ended = false
  /** Looks without being told to, once a watch was refused. */
  #blind: NodeJS.Timeout | undefined

  constructor(options: WatchOptions) {
    this.#options = options
    this.#look = new Look(options.dataDir, options.log, nothing)
    this.#watchPlaces()
    this.#last = this.#look.now({ pods: new Set(), images: true })
    this.#watchPods()
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    clearInterval(this.#blind)
    for (const watcher of this.#places.values()) watcher.close()
    for (const uuid of [...this.#pods.keys()]) this.#leave(uuid)
  }

  #note(uuid?: PodUUID): void {
    if (uuid !== undefined) this.#changed.add(uuid)
    if (this.#ended || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#refresh(), Math.max(0, restMs - (performance.now() - this.#lookedAtMs)))
  }

  #refresh(): void {
    this.#timer = undefined
    try {
      this.#watchPlaces()
      const changed = { pods: new Set(this.#changed), images: this.#imagesChanged }
      this.#changed.clear()
      this.#imagesChanged = false
      const next = this.#look.now(changed)
      this.log.add(differences(this.#last, next, this.#options.now()))
      this.#last = next
      this.#watchPods()
    } catch (error) {
      this.#options.log.warn(`cannot look for events: ${errorText(error)}`)
    }
    this.#lookedAtMs = performance.now()
  }

  /** The directories whose entries are pods and images; before there are any, the nearest one above them. */
  #watchPlaces(): void {
    const { dataDir } = this.#options
    const pods = join(dataDir, 'pods')
    const wanted = [pods, join(dataDir, 'cas', 'images'), ...['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'].map((stage) => join(pods, stage))]
    for (const path of new Set(wanted.map(nearest))) this.#watchPlace(path)
  }

  #watchPlace(path: string): void {
    if (this.#places.has(path)) return
    const watcher = this.#open(path, () => {
      // What was removed and made again is another directory.
      if (!existsSync(path)) {
        this.#places.get(path)?.close()
        this.#places.delete(path)
      }
      if (!path.startsWith(join(this.#options.dataDir, 'pods'))) this.#imagesChanged = true
      this.#note()
    })
    if (watcher !== undefined) this.#places.set(path, watcher)
  }

  #watchPods(): void {
    for (const [uuid, { state }] of this.#last.pods) {
      if (state === 'preparing' || state === 'running') this.#watchPod(uuid)
    }
    for (const uuid of this.#pods.keys()) {
      const state = this.#last.pods.get(uuid)?.state
      if (state !== 'preparing' && state !== 'running' && state !== 'prepared') this.#leave(uuid)
    }
  }

  #watchPod(uuid: PodUUID): void {
    using pod = openPods(this.#options.dataDir).open(uuid)
    if (pod === undefined) return
    let watched = this.#pods.get(uuid)
    if (watched === undefined) {
      watched = { end: new AbortController(), watchers: new Map() }
      this.#pods.set(uuid, watched)
      waitForExit(pod, { signal: watched.end.signal }).then(
        () => this.#note(uuid),
        (error: unknown) => this.#faultOfWait(uuid, error),
      )
    }
    if (pod.state !== 'running') return
    for (const place of ['.', 'stage1/rootfs/rkt/status']) {
      if (watched.watchers.has(place) || !existsSync(pod.inside(place))) continue
      const watcher = this.#open(pod.inside(place), () => this.#note(uuid))
      if (watcher === undefined) continue
      watched.watchers.set(place, watcher)
      // What happened before the watch stood.
      this.#note(uuid)
    }
  }

  #faultOfWait(uuid: PodUUID, error: unknown): void {
    const { log, signal } = this.#options
    if (signal.aborted || this.#pods.get(uuid)?.end.signal.aborted !== false) return
    if (!(error instanceof RktError && error.code === 'not-found')) log.warn(`cannot wait for pod "${uuid}": ${errorText(error)}`)
    this.#note(uuid)
  }

  #leave(uuid: PodUUID): void {
    const watched = this.#pods.get(uuid)
    this.#pods.delete(uuid)
    watched?.end.abort(new RktError('cancelled', 'the pod is not watched any more'))
    for (const watcher of watched?.watchers.values() ?? []) watcher.close()
  }

  #lookBlindly(cause: unknown): void {
    if (this.#blind !== undefined || this.#ended) return
    this.#options.log.warn(`cannot watch for events: ${errorText(cause)}; looking every second instead`)
    this.#blind = setInterval(() => {
      this.#imagesChanged = true
      for (const uuid of this.#pods.keys()) this.#changed.add(uuid)
      this.#note()
    }, blindMs)
  }

  /** Undefined for what has gone meanwhile, or may not be watched by us. */
  #open(path: string, onChange: () => void): FSWatcher | undefined {
    try {
      const watcher = watch(path, onChange)
      watcher.on('error', () => watcher.close())
      return watcher
    } catch (error) {
      if (isErrno(error, 'ENOSPC', 'EMFILE')) this.#lookBlindly(error)
      else if (!isErrno(error, 'ENOENT', 'EACCES')) throw error
      return undefined
    }
  }
}

function nearest(path: string): string {
  let found = path
  while (!existsSync(found) && dirname(found) !== found) found = dirname(found)
  return found
}
