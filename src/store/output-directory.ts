import { lstatSync, mkdtempSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errorText, isErrno, quote, RktError, syncDirectory } from '../base/index.ts'
import { removeTree } from './scratch.ts'

/** A directory that a command makes for its user; the path is absolute. */
export interface OutputDirectory {
  readonly path: string
  readonly overwrite: boolean
}

/**
 * Makes a directory that appears whole or not at all: `fill` gets a private place beside it and answers what in there becomes the
 * directory. What is replaced, a link too, is moved away first and then removed.
 *
 * @throws RktError `already-exists`, `usage` for the root directory, `io`, and what `fill` throws.
 */
export async function makeOutputDirectory(output: OutputDirectory, fill: (place: string) => Promise<string>): Promise<void> {
  checkOutputDirectory(output)
  const parent = dirname(output.path)
  const place = writing(output, () => mkdtempSync(join(parent, `.${basename(output.path)}.`)))
  try {
    const made = await fill(place)
    writing(output, () => {
      if (output.overwrite) moveAway(output.path, join(place, 'replaced'))
      renameSync(made, output.path)
    })
  } finally {
    removeTree(place)
    syncDirectory(parent)
  }
}

/** @throws RktError `already-exists`, `usage` with the original's words. */
function checkOutputDirectory({ path, overwrite }: OutputDirectory): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return
  if (!overwrite) throw directoryExists()
  if (path === '/') throw new RktError('usage', 'this would delete your root filesystem. Refusing.')
}

function directoryExists(): RktError {
  return new RktError('already-exists', 'output directory exists (try --overwrite)')
}

function moveAway(path: string, to: string): void {
  try {
    renameSync(path, to)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

function writing<T>({ path }: OutputDirectory, step: () => T): T {
  try {
    return step()
  } catch (cause) {
    if (isErrno(cause, 'EEXIST', 'ENOTEMPTY', 'ENOTDIR')) throw directoryExists()
    throw new RktError('io', `cannot make directory ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}
