import { spawn, type StdioOptions } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { RktError } from '../base/index.ts'

const directories = ['/usr/local/bin', '/usr/bin', '/bin']

/**
 * Absolute path of a program of the system.
 *
 * @throws RktError `missing-tool` naming the Debian package that has it.
 */
export function findProgram(name: string, debianPackage: string): string {
  const path = directories.map((directory) => `${directory}/${name}`).find((candidate) => existsSync(candidate))
  if (path === undefined) {
    throw new RktError('missing-tool', `cannot find program "${name}" in ${directories.join(', ')}`, { hint: `apt-get install ${debianPackage}` })
  }
  return path
}

export interface ChildOptions {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly stdio: StdioOptions
  readonly signal: AbortSignal
  /** Takes what the child writes to a piped standard output; the child counts as ended when this has too. */
  readonly consume?: (output: Readable) => Promise<void>
}

/**
 * Runs a program to its end.
 *
 * @throws RktError `child-failed` when it fails, the signal's reason when that aborts.
 */
export async function runChild(program: string, options: ChildOptions): Promise<void> {
  options.signal.throwIfAborted()
  const child = spawn(program, [...options.args], { env: { ...options.env }, stdio: options.stdio, signal: options.signal })
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.on('error', (error) => reject(options.signal.aborted ? options.signal.reason : error))
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : signal === null ? `exit status ${code}` : `killed by ${signal}`))
  })
  const [failure] = await Promise.all([ended, child.stdout === null ? undefined : options.consume?.(child.stdout)])
  if (failure !== undefined) throw new RktError('child-failed', `cannot run "${program}": ${failure}`)
}
