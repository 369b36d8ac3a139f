import { errorText, type Log, type PodUUID, RktError } from '../../base/index.ts'
import { openPods, type Pod, readStatus } from '../../pod/index.ts'
import { openStore } from '../../store/index.ts'
import type { AppSight, PodSight, Snapshot } from './snapshot.ts'

/** Looks at pods and images; what has not changed since the last time is not read again. */
export class Look {
  readonly #dataDir: string
  readonly #log: Log
  #last: Snapshot

  constructor(dataDir: string, log: Log, last: Snapshot) {
    this.#dataDir = dataDir
    this.#log = log
    this.#last = last
  }

  /** What is there now; what is not said to have changed is taken from the last look, a pod while its state is the same. */
  now(changed: { readonly pods: ReadonlySet<PodUUID>; readonly images: boolean }): Snapshot {
    this.#last = { pods: this.#pods(changed.pods), images: changed.images ? this.#images() : this.#last.images }
    return this.#last
  }

  #pods(changed: ReadonlySet<PodUUID>): ReadonlyMap<PodUUID, PodSight> {
    const all = openPods(this.#dataDir)
    const stages = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'] as const
    const found = new Map<PodUUID, PodSight>()
    for (const uuid of new Set(stages.flatMap((stage) => all.uuidsIn(stage)))) {
      try {
        using pod = all.open(uuid)
        if (pod === undefined) continue
        const last = this.#last.pods.get(uuid)
        found.set(uuid, last !== undefined && last.state === pod.state && !changed.has(uuid) ? last : sightOf(pod))
      } catch (error) {
        this.#log.debug('api', `cannot look at pod "${uuid}": ${errorText(error)}`)
        const last = this.#last.pods.get(uuid)
        if (last !== undefined) found.set(uuid, last)
      }
    }
    return found
  }

  #images(): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    try {
      for (const reading of openStore(this.#dataDir, { create: false, log: this.#log }).readings()) {
        if (reading.kind === 'image') found.set(reading.record.id, reading.record.name)
      }
    } catch (error) {
      if (!(error instanceof RktError)) throw error
      this.#log.debug('api', errorText(error))
      return this.#last.images
    }
    return found
  }
}

function sightOf(pod: Pod): PodSight {
  const status = readStatus(pod)
  const apps = status.apps.map((app): [string, AppSight] => {
    const ended = app.state === 'exited'
    return [
      app.name,
      {
        startedAtMs: app.startMarked || ended || app.state === 'running' ? app.startedAtMs : undefined,
        finished: ended ? { atMs: app.finishedAtMs, exitCode: app.exitCode } : undefined,
      },
    ]
  })
  return { state: status.state, startedAtMs: status.startedAtMs, apps: new Map(apps) }
}
