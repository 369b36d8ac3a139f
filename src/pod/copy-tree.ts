import { renameSync } from 'node:fs'
import { quote } from '../base/index.ts'
import { flattenTrees, liesInLayer } from '../store/index.ts'
import { runChild } from './child.ts'

export interface CopyOptions {
  /** Descriptor whose lock the copying process shares: nobody takes the pod for abandoned while something writes to it. */
  readonly lockFd: number
  readonly signal: AbortSignal | undefined
}

/**
 * Copies directory trees that lie over each other, the topmost first, into one, with owners, times and extended attributes, sharing
 * blocks where the file system can. An empty directory that is there already gets owner and mode of the original.
 *
 * @throws RktError `child-failed` with the first line that cp(1) wrote; the signal's reason when that fires.
 */
export async function copyTrees(from: readonly string[], to: string, options: CopyOptions): Promise<void> {
  const [only] = from
  if (only !== undefined && from.length === 1 && !liesInLayer(only)) return await copyTree(only, to, options)
  const copies = from.map((_, index) => `${to}.layer-${index}`)
  for (const [index, tree] of from.entries()) await copyTree(tree, `${to}.layer-${index}`, options)
  flattenTrees(copies)
  renameSync(`${to}.layer-0`, to)
}

async function copyTree(from: string, to: string, { lockFd, signal }: CopyOptions): Promise<void> {
  const argv = ['/bin/cp', '-a', '--reflink=auto', '--no-target-directory', '--', from, to]
  await runChild(argv, { action: `copy ${quote(from)} to ${quote(to)}`, fd: lockFd, signal })
}
