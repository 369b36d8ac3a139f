import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, isErrno, quote, RktError } from '../../../base/index.ts'
import type { Files } from './files.ts'

/** The files of a directory. Attack: a link, FIFO or device in place of a file is refused, not followed. */
export async function openDirectoryFiles(path: string): Promise<Files> {
  try {
    await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    await directory.stat()
  } catch (cause) {
    throw new RktError(isErrno(cause, 'ENOENT', 'ENOTDIR') ? 'not-found' : 'io', `cannot open image directory ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  return {
    text: path,
    open: async (name) => {
      const file = await openFile(join(path, name))
      if (file === undefined) return undefined
      const stat = await file.stat()
      if (stat.isFile()) return { file, start: 0, size: stat.size, [Symbol.asyncDispose]: () => file.close() }
      await file.close()
      throw new RktError('io', `cannot use ${quote(join(path, name))}: it is not a regular file`)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined
    throw new RktError('io', `cannot open ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}
