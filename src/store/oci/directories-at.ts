import { lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { marksAt } from './marks.ts'

/** As many symbolic links as the kernel follows in one path. */
const maxLinks = 40

/**
 * The directories that together are the one to which `path` leads in trees that lie over each other, the topmost first; none when there
 * is no directory. Links are followed as if the merged tree were `/`. For trees of the store alone, which nobody changes meanwhile.
 */
export function directoriesAt(roots: readonly string[], path: string): readonly string[] {
  const rest = components(path)
  const found: string[] = []
  let here = roots
  let links = 0
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      found.pop()
      here = follow(roots, found)
      continue
    }
    const next = step(here, name)
    if (typeof next !== 'string') {
      if (next.length === 0) return []
      found.push(name)
      here = next
      continue
    }
    links += 1
    if (links > maxLinks) return []
    if (next.startsWith('/')) found.length = 0
    here = follow(roots, found)
    rest.unshift(...components(next))
  }
  return here
}

function follow(roots: readonly string[], names: readonly string[]): readonly string[] {
  return names.reduce<readonly string[]>((here, name) => {
    const next = step(here, name)
    return typeof next === 'string' ? [] : next
  }, roots)
}

/** What has this name in the merged directory: directories, or the target of a link; nothing for everything else. */
function step(directories: readonly string[], name: string): readonly string[] | string {
  const shown: string[] = []
  for (const directory of directories) {
    const path = join(directory, name)
    const kind = lstatSync(path, { throwIfNoEntry: false })
    if (kind === undefined) continue
    if (kind.isSymbolicLink() && shown.length === 0) return readlinkSync(path)
    if (!kind.isDirectory()) break
    shown.push(path)
    if (directories.length > 1 && marksAt(Buffer.from(path)).opaque) break
  }
  return shown
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}
