import { errorText, isErrno, quote, RktError } from '../base/index.ts'

/** What a full, failing, read-only or foreign disk answers. */
const diskErrors = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EMFILE', 'ENFILE'] as const

/** Runs a step that writes to the store; what the disk refuses becomes one of our failures. @throws RktError `io`. */
export async function reportingDisk<T>(action: string, { object, run }: { readonly object: string; readonly run: () => Promise<T> }): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof RktError || !isErrno(cause, ...diskErrors)) throw cause
    throw new RktError('io', `cannot ${action} ${quote(object)}: ${errorText(cause)}`, { cause })
  }
}
