import { constants, copyFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, isErrno, limits, quote, RktError, unverified, type ReceivedBlob, type Unverified } from '../base/index.ts'
import { copyHashing } from './copy.ts'
import { digestsOf, startHashes, type HashAlgorithm } from './hashing.ts'
import type { OnProgress } from './progress.ts'

export interface ReceiveFileOptions {
  /** A scratch directory of the caller; the copy becomes its file `blob`. */
  readonly into: string
  readonly signal: AbortSignal
  readonly onProgress?: OnProgress
  /** Algorithms that the signature uses, when it is already known. */
  readonly hashes?: ReadonlySet<HashAlgorithm>
}

/**
 * Copies an image file into the scratch directory and hashes exactly the bytes that the copy holds.
 *
 * @throws RktError `not-found`, `io` (not a regular file, unreadable, disk full), `limit-exceeded`.
 */
export async function receiveFile(path: string, options: ReceiveFileOptions): Promise<Unverified<ReceivedBlob>> {
  await using source = await openRegularFile(path)
  const total = (await source.stat()).size
  if (total > limits.blobBytes) {
    throw new RktError('limit-exceeded', `cannot use image file ${quote(path)}: ${total} bytes; expected at most ${limits.blobBytes}`)
  }
  const target = join(options.into, 'blob')
  const cloned = cloneFile(source, target)
  await using copy = await open(target, cloned ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o640)
  const hashes = startHashes(options.hashes)
  try {
    const sizeBytes = await copyHashing({
      from: cloned ? copy : source,
      to: cloned ? undefined : copy,
      hashes,
      signal: options.signal,
      onBytes: (doneBytes) => options.onProgress?.({ phase: 'copy', doneBytes, totalBytes: total }),
    })
    return unverified({ path: target, sizeBytes, digests: digestsOf(hashes), hashes })
  } catch (cause) {
    if (cause instanceof RktError || !isErrno(cause, 'EIO', 'ENOSPC', 'EDQUOT', 'EFBIG')) throw cause
    throw new RktError('io', `cannot copy image file ${quote(path)} into the store: ${errorText(cause)}`, { cause })
  }
}

/**
 * Hashes a file where it is, for a blob that is checked again.
 *
 * @throws RktError as `receiveFile`.
 */
export async function hashFile(path: string, options: Omit<ReceiveFileOptions, 'into'>): Promise<Unverified<ReceivedBlob>> {
  await using source = await openRegularFile(path)
  const total = (await source.stat()).size
  const hashes = startHashes(options.hashes)
  const onBytes = (doneBytes: number): void => options.onProgress?.({ phase: 'verify', doneBytes, totalBytes: total })
  const sizeBytes = await copyHashing({ from: source, to: undefined, hashes, signal: options.signal, onBytes })
  return unverified({ path, sizeBytes, digests: digestsOf(hashes), hashes })
}

/** Opens without waiting for a FIFO's writer, and refuses all but regular files. */
async function openRegularFile(path: string): Promise<FileHandle> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (cause) {
    const code = isErrno(cause, 'ENOENT', 'ENOTDIR') ? 'not-found' : 'io'
    throw new RktError(code, `cannot open image file ${quote(path)}: ${errorText(cause)}`, { cause })
  }
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new RktError('io', `cannot use image file ${quote(path)}: it is not a regular file`)
}

/** A copy that shares its blocks, where the file system can. The source is named by descriptor: it is the file that was checked. */
function cloneFile(source: FileHandle, target: string): boolean {
  try {
    copyFileSync(`/proc/self/fd/${source.fd}`, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS', 'EPERM', 'ETXTBSY')) return false
    throw error
  }
}
