import { execFile } from 'node:child_process'
import { quote, RktError } from '../base/index.ts'

const cp = '/bin/cp'

/**
 * Copies a directory tree with owners, times and extended attributes, sharing blocks where the file system can.
 *
 * @throws RktError `child-failed` with the first line that cp(1) wrote, `cancelled`.
 */
export async function copyTree(from: string, to: string, options: { readonly signal?: AbortSignal }): Promise<void> {
  const { signal } = options
  await new Promise<void>((resolve, reject) => {
    const child = execFile(
      cp,
      ['-a', '--reflink=auto', '--no-target-directory', '--', from, to],
      { env: { LC_ALL: 'C' }, maxBuffer: 1 << 20, ...(signal === undefined ? {} : { signal }) },
      (error, _output, complaint) => {
        if (error === null) resolve()
        else if (signal?.aborted === true) reject(new RktError('cancelled', `cannot copy ${quote(from)}: cancelled`, { cause: error }))
        else reject(new RktError('child-failed', `cannot copy ${quote(from)} to ${quote(to)}: ${complaint.split('\n')[0] || error.message}`, { cause: error }))
      },
    )
    child.stdin?.end()
  })
}
