import { closeSync, constants, fstatSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { binding, isErrno, LOCK_UN, type PodUUID, RktError, syncDirectory } from '../base/index.ts'
import { dataPaths, type Stage } from './layout.ts'
import { cannot } from './io-error.ts'
import { isAt, isHeld, lockExclusively } from './pod-lock.ts'
import { type PodState, stateOf } from './state.ts'

/**
 * One pod directory, held open: reading goes on while the directory is renamed, and the lock lives as long as the descriptor and
 * every process that inherits it.
 */
export class Pod implements Disposable {
  readonly uuid: PodUUID
  readonly dataDir: string
  /** Descriptor of the pod directory; carries the exclusive lock when `owned`. */
  readonly fd: number
  #stage: Stage
  #state: PodState
  #owned: boolean

  /** @internal Use `openPods()`. */
  constructor(init: { readonly uuid: PodUUID; readonly dataDir: string; readonly fd: number; readonly stage: Stage; readonly state: PodState; readonly owned: boolean }) {
    this.uuid = init.uuid
    this.dataDir = init.dataDir
    this.fd = init.fd
    this.#stage = init.stage
    this.#state = init.state
    this.#owned = init.owned
  }

  /** Absolute path of the pod directory, as this process last knew it. */
  get dir(): string {
    return join(dataPaths(this.dataDir).stage(this.#stage), this.uuid)
  }

  get stage(): Stage {
    return this.#stage
  }

  /** The state when the pod was opened, moved or locked by this object. */
  get state(): PodState {
    return this.#state
  }

  /** Whether this object holds the exclusive lock. */
  get owned(): boolean {
    return this.#owned
  }

  /** A path inside the pod directory that stays right when the directory is renamed; for this process only. */
  inside(path: string): string {
    return `/proc/self/fd/${this.fd}/${path}`
  }

  /**
   * Time at which the directory came to its present stage: renaming sets the change time of its inode. Whole milliseconds like those
   * of `Date.now()`, or what was moved just now would seem to be of the future.
   */
  get movedAtMs(): number {
    return Math.floor(fstatSync(this.fd).ctimeMs)
  }

  /** Ends the preparation: the pod waits, unlocked and whole on the disk, for `takePrepared()`. */
  toPrepared(): void {
    // One flush for every file of the preparation, which nobody has to wait for one by one.
    binding().syncfs(this.fd)
    this.moveTo('prepared')
    syncDirectory(dataPaths(this.dataDir).stage('prepared'))
    this.unlock()
  }

  /**
   * Ends the preparation of a pod that runs at once; the lock is kept without a gap. Nothing waits for the disk: the failure that
   * loses this rename ends the pod as well, and then an aborted prepare is collected like an exited pod.
   */
  toRun(): void {
    this.moveTo('run')
  }

  /**
   * Renames the directory into another stage. The rename is the arbiter between processes that want to move the same pod.
   *
   * @throws RktError `not-found` when another process has moved or deleted the pod, `io`.
   */
  moveTo(stage: Stage): void {
    const parent = dataPaths(this.dataDir).stage(stage)
    try {
      renameSync(this.dir, join(parent, this.uuid))
    } catch (cause) {
      if (!isErrno(cause, 'ENOENT') || isAt(this.fd, this.dir)) throw cannot(`move pod "${this.uuid}" from ${this.#stage} to ${stage}`, cause)
      throw new RktError('not-found', `cannot move pod "${this.uuid}" from ${this.#stage} to ${stage}: another process has moved or removed it`, { cause })
    }
    this.#stage = stage
    this.#state = stateOf(stage, this.#owned)
  }

  /** Takes the exclusive lock; false when another process keeps it or has moved the directory. */
  lock(): boolean {
    if (!this.#owned) {
      if (!lockExclusively(this.fd, this.dir)) return false
      this.#owned = true
    }
    this.#state = stateOf(this.#stage, true)
    return true
  }

  unlock(): void {
    if (!this.#owned) return
    binding().flock(this.fd, LOCK_UN)
    this.#owned = false
    this.#state = stateOf(this.#stage, false)
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}

/**
 * Opens the pod directory in one stage; undefined when it is not there, or left while its lock was tested: only a directory that
 * is still there afterwards was there when the lock was free.
 */
export function openInStage(dataDir: string, uuid: PodUUID, stage: Stage): Pod | undefined {
  const path = join(dataPaths(dataDir).stage(stage), uuid)
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined
    throw error
  }
  const locked = stage !== 'embryo' && stage !== 'prepared' && isHeld(fd)
  if (!isAt(fd, path)) {
    closeSync(fd)
    return undefined
  }
  return new Pod({ uuid, dataDir, fd, stage, state: stateOf(stage, locked), owned: false })
}
