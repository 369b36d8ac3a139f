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
  readonly end: Promise<ImporterEnd>
}

export interface ImporterEnd {
  /** Null when it was killed. */
  readonly code: number | null
  readonly ids: readonly string[]
  /** How long each import took. */
  readonly times: readonly number[]
  readonly errors: string
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
  const end = new Promise<ImporterEnd>((resolve) => {
    child.once('close', (code) => {
      const words = lines.filter((line) => line !== 'ready').map((line) => line.split(' '))
      resolve({ code, ids: words.map(([id = '']) => id), times: words.map(([, time]) => Number(time)), errors })
    })
  })
  return { child, ready, end }
}
