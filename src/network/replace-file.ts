import { renameSync, writeFileSync } from 'node:fs'

/**
 * Writes a file of a pod that is about the host as it is now: readers see the old one or the new one. Not made durable, for after a
 * failure of power nothing is there that it tells of.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content, { mode: 0o640 })
  renameSync(`${path}.new`, path)
}
