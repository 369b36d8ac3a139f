import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binding } from '../../src/base/index.ts'

export interface TemporaryDirectory extends Disposable {
  readonly path: string
  /** Absolute path of something inside. */
  in(...names: readonly string[]): string
}

/** A fresh directory that vanishes at the end of the block (`using`), with every mount that was left below it. */
export function temporaryDirectory(): TemporaryDirectory {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'rkt-test-')))
  return { path, in: (...names) => join(path, ...names), [Symbol.dispose]: () => removeTree(path) }
}

/** Mount points at or below `path`, the latest first. */
export function mountsBelow(path: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => unescapeMount(line.split(' ')[4] ?? ''))
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .toReversed()
}

function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function removeTree(path: string): void {
  for (const point of mountsBelow(path)) binding().unmount(point)
  if (mountsBelow(path).length > 0) throw new Error(`mounts are left below ${path}`)
  rmSync(path, { recursive: true, force: true })
}
