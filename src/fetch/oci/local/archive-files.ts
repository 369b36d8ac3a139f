import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { errorText, isErrno, quote, RktError, shellWord } from '../../../base/index.ts'
import { indexArchive } from './archive-index.ts'
import type { Files } from './files.ts'

const maxLinks = 8

/** The files of a tar archive, read where they lie. @throws RktError `not-found`, `io`, `invalid-archive`. */
export async function openArchiveFiles(path: string): Promise<Files> {
  const file = await openArchive(path)
  try {
    const entries = await indexArchive(file, path)
    return {
      text: path,
      open: async (name) => {
        let entry = entries.get(name)
        for (let links = 0; entry?.kind === 'link' && links < maxLinks; links += 1) entry = entries.get(entry.target)
        if (entry === undefined) return undefined
        if (entry.kind === 'link') throw new RktError('invalid-archive', `cannot read image archive ${quote(path)}: too many links lead from ${quote(name)}`)
        return { file, start: entry.start, size: entry.size, [Symbol.asyncDispose]: async () => undefined }
      },
      [Symbol.asyncDispose]: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openArchive(path: string): Promise<FileHandle> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (cause) {
    throw new RktError(isErrno(cause, 'ENOENT', 'ENOTDIR') ? 'not-found' : 'io', `cannot open image archive ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  const magic = Buffer.alloc(4)
  const stat = await file.stat()
  if (stat.isFile()) await file.read(magic, 0, 4, 0)
  const unpack = magic.readUInt16BE(0) === 0x1f8b ? 'gunzip' : magic.readUInt32BE(0) === 0x28b52ffd ? 'unzstd' : undefined
  if (stat.isFile() && unpack === undefined) return file
  await file.close()
  if (!stat.isFile()) throw new RktError('io', `cannot use image archive ${quote(path)}: it is not a regular file`)
  throw new RktError('unsupported', `cannot use image archive ${quote(path)}: it is compressed; expected a plain tar`, { hint: `unpack it first: ${unpack} < ${shellWord(path)} > FILE` })
}
