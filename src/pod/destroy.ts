import { existsSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs'
import { binding, isErrno, quote, RktError, syncDirectory } from '../base/index.ts'
import { dataPaths, podFile } from './layout.ts'
import { mountsBelow } from './mountinfo.ts'
import type { Pod } from './pod.ts'
import { emptyDirectory } from './remove-tree.ts'

/**
 * Undoes what a pod left outside its directory: networks, cgroups, pinned namespaces. It must not mind being done again after a
 * crash, nor a pod that never got so far. When it throws, the pod stays for the next collection.
 */
export type Teardown = (podDir: string) => Promise<void>

/**
 * Deletes a pod whose processes have ended, in an order that a crash may cut anywhere: what lies outside the directory, mounts,
 * files, the manifest, the directory. From the second step on it lies in `garbage`, where every later collection goes on.
 *
 * Returns false when another process is deleting the pod, or has deleted it.
 *
 * @throws RktError `busy` when something stays mounted below the pod, `io` when a file cannot be removed.
 */
export async function destroyPod(pod: Pod, teardown: Teardown): Promise<boolean> {
  if (!pod.lock()) return false
  // A directory that was removed under an open descriptor can still be locked.
  if (!existsSync(pod.dir)) return false
  await teardown(pod.dir)
  unmountBelow(pod.dir)
  if (pod.stage !== 'garbage') pod.moveTo('garbage')
  emptyDirectory(pod.inside('.'), { keep: [podFile.manifest], shownAs: pod.dir })
  unlinkIfThere(pod.inside(podFile.manifest))
  rmdirSync(pod.dir)
  syncDirectory(dataPaths(pod.dataDir).stage('garbage'))
  return true
}

/** Unmounts everything at or below `directory`, also what was mounted twice. */
function unmountBelow(directory: string): void {
  for (let pass = 0; pass < 8; pass += 1) {
    const mounts = mountsBelow(readFileSync('/proc/self/mountinfo'), directory)
    if (mounts.length === 0) return
    for (const path of mounts) binding().unmount(path)
  }
  const [left] = mountsBelow(readFileSync('/proc/self/mountinfo'), directory)
  if (left !== undefined) throw new RktError('busy', `cannot remove pod directory ${quote(directory)}: ${quote(left)} stays mounted`)
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
