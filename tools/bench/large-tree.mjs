// A tree of real files, the same on every run on one machine: an even choice of what lies below /usr.
import { copyFileSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

const wantedFiles = 16_000
const wantedBytes = 250e6
const largestFile = 4e6

/** Copies about 16,000 files with about 250 MB into `target`. */
export function makeLargeTree(target) {
  const all = ['/usr/bin', '/usr/lib', '/usr/share', '/usr/include'].flatMap((directory) => [...filesBelow(directory)])
  all.sort((a, b) => (a.path < b.path ? -1 : 1))
  const step = Math.max(1, all.length / wantedFiles)
  const chosen = Array.from({ length: Math.min(wantedFiles, all.length) }, (_, index) => all[Math.floor(index * step)])
  let bytes = chosen.reduce((sum, { size }) => sum + size, 0)
  chosen.sort((a, b) => b.size - a.size)
  // The largest go first when there is too much; when there is too little, they come twice.
  while (bytes > wantedBytes) bytes -= chosen.shift().size
  const copies = chosen.map(({ path }) => ({ path, name: path }))
  for (let index = 0; bytes < wantedBytes && index < chosen.length; index += 1) {
    copies.push({ path: chosen[index].path, name: `/again${chosen[index].path}` })
    bytes += chosen[index].size
  }
  for (const { path, name } of copies) {
    mkdirSync(dirname(join(target, name)), { recursive: true })
    copyFileSync(path, join(target, name))
  }
  return { files: copies.length, bytes }
}

function* filesBelow(directory) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const stat = lstatSync(path)
    if (stat.isDirectory()) yield* filesBelow(path)
    else if (stat.isFile() && stat.size <= largestFile) yield { path, size: stat.size }
  }
}
