import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestStore } from './store.ts'

/** A process of its own that imports images one after another. */
export interface Importer {
  readonly child: ChildProcess
  /** Resolves when its modules are loaded and it begins. */
  readonly ready: Promise<void>
  /** Exit code (null when it was killed) and the IDs it gave. */
  readonly end: Promise<{ readonly code: number | null; readonly ids: readonly string[]; readonly errors: string }>
}

export function startImporter(one: TestStore, images: readonly string[]): Importer {
  const program = fileURLToPath(new URL('./import-child.js', import.meta.url))
  const child = spawn(process.execPath, [program, one.dataDir, dirname(one.keys.dirs.local), ...images], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const ready = new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      resolve()
    })
    child.once('close', () => resolve())
  })
  const end = new Promise<{ code: number | null; ids: string[]; errors: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, ids: lines.filter((line) => line !== 'ready'), errors }))
  })
  return { child, ready, end }
}
