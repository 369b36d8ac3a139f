import { lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** As many symbolic links as the kernel follows in one path. */
const maxLinks = 40

/**
 * The place that `path` leads to inside the tree at `root`, with symbolic links followed as if `root` were `/`; undefined when there
 * is none. For trees of the store alone, which nobody changes meanwhile.
 */
export function resolveInTree(root: string, path: string): string | undefined {
  const rest = components(path)
  const found: string[] = []
  let links = 0
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      found.pop()
      continue
    }
    const here = join(root, ...found, name)
    const kind = lstatSync(here, { throwIfNoEntry: false })
    if (kind === undefined || (!kind.isDirectory() && !kind.isSymbolicLink() && rest.length > 0)) return undefined
    if (!kind.isSymbolicLink()) {
      found.push(name)
      continue
    }
    links += 1
    if (links > maxLinks) return undefined
    const target = readlinkSync(here)
    if (target.startsWith('/')) found.length = 0
    rest.unshift(...components(target))
  }
  return join(root, ...found)
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}
