import { quote } from '../base/index.ts'
import { runChild } from './child.ts'

export interface CopyOptions {
  /** Descriptor whose lock the copying process shares: nobody takes the pod for abandoned while something writes to it. */
  readonly lockFd: number
  readonly signal: AbortSignal | undefined
}

/**
 * Copies a directory tree with owners, times and extended attributes, sharing blocks where the file system can. A directory that is
 * there already is filled, and gets owner and mode of the original.
 *
 * @throws RktError `child-failed` with the first line that cp(1) wrote; the signal's reason when that fires.
 */
export async function copyTree(from: string, to: string, { lockFd, signal }: CopyOptions): Promise<void> {
  const argv = ['/bin/cp', '-a', '--reflink=auto', '--no-target-directory', '--', from, to]
  await runChild(argv, { action: `copy ${quote(from)} to ${quote(to)}`, fd: lockFd, signal })
}
