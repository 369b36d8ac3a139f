import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Absolute path of a file that is installed beside the bundle (`lib/rkt/NAME`): binding, launcher, unpacker.
 *
 * The bundle lies in that directory itself; the unbundled modules that tests import lie in `build/js/src/base`.
 */
export function libraryFile(name: string): string {
  const beside = fileURLToPath(new URL(`./${name}`, import.meta.url))
  if (existsSync(beside)) return beside
  return fileURLToPath(new URL(`../../../lib/rkt/${name}`, import.meta.url))
}
