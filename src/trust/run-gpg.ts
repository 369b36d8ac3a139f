import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { Readable } from 'node:stream'
import { escapeText, limits, RktError } from '../base/index.ts'

export interface RunGpgOptions {
  /** The whole environment of gpg and its agent; `PATH` says where gpg is. */
  readonly env: Readonly<Record<string, string>>
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

export interface GpgResult {
  readonly output: Uint8Array
  /** Lines that gpg writes for programs, without their `[GNUPG:] `. */
  readonly status: readonly string[]
}

/**
 * The absolute path of a program of GnuPG.
 *
 * @throws RktError `missing-tool` when no directory of `PATH` has it.
 */
export function findGpg(env: Readonly<Record<string, string>>, program: 'gpg' | 'gpgconf'): string {
  const found = (env['PATH'] ?? '')
    .split(':')
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, program))
    .find(isExecutable)
  if (found !== undefined) return found
  throw new RktError('missing-tool', `cannot find ${program}: it is in no directory of PATH`, { hint: 'apt-get install gnupg' })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or not for us: either way the search goes on.
    return false
  }
}

/**
 * Runs gpg to its end, without standard input.
 *
 * @throws RktError `missing-tool`, `child-failed` with gpg's own words, `timeout`; the signal's reason when it is aborted.
 */
export async function runGpg(argv: readonly string[], options: RunGpgOptions): Promise<GpgResult> {
  const { env, deadlineMs, signal } = options
  const program = findGpg(env, 'gpg')
  signal?.throwIfAborted()
  const deadline = AbortSignal.timeout(deadlineMs)
  const child = spawn(program, ['--batch', '--no-greeting', '--status-fd', '3', ...argv], {
    env: { ...env, LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    killSignal: 'SIGTERM',
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
  const texts = Promise.all([child.stdout, child.stderr, child.stdio[3]].map(collect))
  const [code, [output, errors, status]] = await finished(Promise.all([ended, texts]), { deadline, options })
  if (code !== 0) throw new RktError('child-failed', `gpg: ${firstWords(errors)}`)
  return { output: output ?? new Uint8Array(), status: statusLines(status) }
}

interface FinishedOptions {
  readonly deadline: AbortSignal
  readonly options: RunGpgOptions
}

/** Waits, and says why it was ended when it was. */
async function finished<T>(work: Promise<T>, { deadline, options: { signal, deadlineMs } }: FinishedOptions): Promise<T> {
  try {
    return await work
  } catch (cause) {
    signal?.throwIfAborted()
    if (deadline.aborted) throw new RktError('timeout', `gpg did not end within ${deadlineMs / 1000} seconds`, { cause })
    throw cause
  }
}

/** Everything that a stream gives, up to the size of a signature; the rest is dropped. */
async function collect(stream: unknown): Promise<Buffer> {
  if (!(stream instanceof Readable)) throw new Error('a pipe of gpg is missing')
  const chunks: Buffer[] = []
  let left: number = limits.signatureBytes
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk).subarray(0, left)
    left -= bytes.byteLength
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

function statusLines(bytes: Buffer | undefined): readonly string[] {
  const prefix = '[GNUPG:] '
  const lines = bytes?.toString('utf8').split('\n') ?? []
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length))
}

function firstWords(errors: Buffer | undefined): string {
  const lines = (errors?.toString('utf8') ?? '').split('\n').filter((line) => line !== '')
  const words = lines.slice(-2).map((line) => escapeText(line.replace(/^gpg: /, '')))
  return words.length === 0 ? 'it failed without a word' : words.join('; ')
}
