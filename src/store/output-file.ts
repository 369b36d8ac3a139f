import { randomBytes } from 'node:crypto'
import { closeSync, constants, fsyncSync, linkSync, lstatSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorText, isErrno, quote, RktError, syncDirectory } from '../base/index.ts'

/** A file that a command makes for its user. */
export interface OutputFile {
  readonly path: string
  readonly overwrite: boolean
  /** The original's words when the file is there and may not be replaced. */
  readonly existsText: string
}

/** @throws RktError `already-exists`. */
export function checkOutputFile({ path, overwrite, existsText }: OutputFile): void {
  if (!overwrite && lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw new RktError('already-exists', existsText)
}

/**
 * Makes a file that appears whole or not at all: what `write` puts into the descriptor gets its name at the end. A link at that name is
 * replaced, never followed.
 *
 * @throws RktError `already-exists`, `io`, and what `write` throws.
 */
export async function writeOutputFile<T>(output: OutputFile, write: (fd: number) => Promise<T>): Promise<T> {
  checkOutputFile(output)
  const temporary = join(dirname(output.path), `.tmp-${randomBytes(8).toString('hex')}`)
  const fd = writing(output, () => openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644))
  try {
    const result = await write(fd)
    writing(output, () => {
      fsyncSync(fd)
      if (output.overwrite) renameSync(temporary, output.path)
      else linkSync(temporary, output.path)
    })
    return result
  } finally {
    closeSync(fd)
    rmSync(temporary, { force: true })
    syncDirectory(dirname(output.path))
  }
}

/** Runs one step of writing. @throws RktError as writeOutputFile(). */
export function writing<T>({ path, overwrite, existsText }: OutputFile, step: () => T): T {
  try {
    return step()
  } catch (cause) {
    if (isErrno(cause, 'EEXIST') && !overwrite) throw new RktError('already-exists', existsText, { cause })
    throw new RktError('io', `cannot write ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}
