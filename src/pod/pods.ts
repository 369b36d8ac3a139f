import { randomUUID } from 'node:crypto'
import { chmodSync, chownSync, closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { asPodUUID, isErrno, lockDescriptor, mappedIdCount, parsePodUUID, type PodUUID, quote, RktError } from '../base/index.ts'
import { dataPaths, podFile, type Stage, stages, visibleStages } from './layout.ts'
import { cannot } from './io-error.ts'
import { openInStage, Pod } from './pod.ts'

export interface OpenPodsOptions {
  /** Id of the group `rkt`, whose members may look at pods; without it the directories belong to root's group. */
  readonly groupID?: number
}

/** The pods of one data directory. */
export interface Pods {
  readonly dataDir: string
  /** Makes an empty pod, locked and in stage `prepare`; the lock is held by the returned object. */
  create(uuid?: PodUUID): Pod
  /** The pod with this UUID in any stage. */
  open(uuid: PodUUID): Pod | undefined
  /**
   * The UUID that starts with `text`, among the pods that users can see.
   *
   * @throws RktError `usage` for an empty text, `not-found`, `ambiguous`.
   */
  resolve(text: string): PodUUID
  /** The pods that users can see, sorted by UUID; without `onFault`, one that cannot be opened fails the whole list. */
  list(onFault?: (uuid: PodUUID, error: unknown) => void): Pod[]
  /** UUIDs of the directories in one stage, sorted. */
  uuidsIn(stage: Stage): PodUUID[]
  /** The pod with this UUID if it is in that stage. */
  openIn(stage: Stage, uuid: PodUUID): Pod | undefined
}

/** The pods below `dataDir`; directories are made when the first pod is. */
export function openPods(dataDir: string, options: OpenPodsOptions = {}): Pods {
  const paths = dataPaths(dataDir)
  return {
    dataDir,
    create(uuid = parsePodUUID(randomUUID())) {
      try {
        if (!existsSync(paths.stage('embryo'))) makeStages(dataDir, options.groupID)
        return createPod(dataDir, uuid)
      } catch (cause) {
        throw cannot(`make pod "${uuid}" in ${quote(paths.pods)}`, cause)
      }
    },
    open: (uuid) => openPod(dataDir, uuid),
    resolve: (text) => resolveUUID(text, [...new Set(visibleStages.flatMap((stage) => uuidsIn(paths.stage(stage))))]),
    list(onFault = (_uuid, error) => raise(error)) {
      const uuids = new Set(visibleStages.flatMap((stage) => uuidsIn(paths.stage(stage))))
      return [...uuids].sort().flatMap((uuid) => {
        try {
          return visible(openPod(dataDir, uuid)) ?? []
        } catch (error) {
          onFault(uuid, cannot(`open pod "${uuid}"`, error))
          return []
        }
      })
    },
    uuidsIn: (stage) => uuidsIn(paths.stage(stage)),
    openIn: (stage, uuid) => openInStage(dataDir, uuid, stage),
  }
}

/** How often a pod that is moved while it is being looked for is looked for again; it has five moves in its life. */
const searches = 8

/** The pod in whatever stage it is. */
export function openPod(dataDir: string, uuid: PodUUID): Pod | undefined {
  for (let attempt = 0; attempt < searches; attempt += 1) {
    // In the order of life, so that a pod which moves on meanwhile is still met.
    for (const stage of stages) {
      const pod = openInStage(dataDir, uuid, stage)
      if (pod !== undefined) return pod
    }
  }
  return undefined
}

function raise(error: unknown): never {
  throw error
}

/** A pod that became garbage since its name was read is not shown. */
function visible(pod: Pod | undefined): Pod | undefined {
  if (pod === undefined || visibleStages.includes(pod.stage)) return pod
  pod[Symbol.dispose]()
  return undefined
}

function createPod(dataDir: string, uuid: PodUUID): Pod {
  const embryo = join(dataPaths(dataDir).stage('embryo'), uuid)
  mkdirSync(embryo, 0o750)
  const fd = openSync(embryo, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    // The caller's umask decides nothing here; the setgid bit that comes from the parent stays.
    chmodSync(embryo, (fstatSync(fd).mode & 0o7000) | 0o750)
    lockDescriptor(fd, { mode: 'exclusive', wait: 'block' })
    const pod = new Pod({ uuid, dataDir, fd, stage: 'embryo', state: 'embryo', owned: true })
    closeSync(openSync(pod.inside(podFile.created), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640))
    pod.moveTo('prepare')
    return pod
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Makes the directories that are missing; that of the embryos last, as it stands for all. */
function makeStages(dataDir: string, groupID: number | undefined): void {
  const paths = dataPaths(dataDir)
  for (const path of [dataDir, paths.pods, ...stages.toReversed().map(paths.stage)]) {
    try {
      mkdirSync(path, { mode: 0o750 })
    } catch (error) {
      if (isErrno(error, 'EEXIST')) continue
      throw error
    }
    if (groupID !== undefined) chownSync(path, 0, groupID)
    chmodSync(path, path === dataDir && mappedIdCount() !== undefined ? 0o700 : groupID === undefined ? 0o750 : 0o2750)
  }
}

function uuidsIn(directory: string): PodUUID[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw cannot(`read directory ${quote(directory)}`, error)
  }
  return names.sort().flatMap((name) => asPodUUID(name) ?? [])
}

function resolveUUID(text: string, known: readonly PodUUID[]): PodUUID {
  if (text === '') throw new RktError('usage', 'UUID cannot be empty')
  const wanted = text.toLowerCase()
  const [found, ...others] = new Set(known.filter((uuid) => uuid.startsWith(wanted)))
  if (found === undefined) throw new RktError('not-found', `no matches found for ${JSON.stringify(wanted)}`)
  if (others.length > 0) throw new RktError('ambiguous', `ambiguous uuid, ${others.length + 1} matches`)
  return found
}
