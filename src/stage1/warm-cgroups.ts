import { closeSync, openSync, write } from 'node:fs'
import { join } from 'node:path'
import { readCgroupFacts } from './cgroups.ts'

/**
 * Moves this process into the group it is in, beside everything else that a start does.
 *
 * KERNEL: after a quiet time the first process to change its group waits for an RCU grace period (10 to 20 ms), those that follow within
 * another do not. The pod's own groups are joined a moment later. Nothing depends on it: a failure costs only that time.
 */
export function warmCgroups(): void {
  let fd: number
  try {
    const { hierarchies } = readCgroupFacts()
    const hierarchy = hierarchies.find(({ controllers }) => controllers.includes('pids')) ?? hierarchies.find(({ controllers }) => controllers.length === 0)
    if (hierarchy === undefined) return
    fd = openSync(join(hierarchy.mountPoint, hierarchy.ownGroup, 'cgroup.procs'), 'w')
  } catch {
    return
  }
  write(fd, '0', () => closeSync(fd))
}
