import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from './temp.ts'
import { rktProgram } from './paths.ts'

export interface RunOptions {
  /** Data directory; configuration is looked for in `<dir>.config/{system,local,user}`. Without it the command gets neither flag. */
  readonly dir?: string
  /** Added to a small fixed environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly timeoutMs?: number
  /** Runs under a terminal of its own: standard output then holds everything, with carriage returns. */
  readonly tty?: boolean
  readonly cwd?: string
  /** Instead of `build/bin/rkt`. */
  readonly program?: string
}

export interface RunResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

/**
 * Runs the built command to its end. Never throws for what the command does; at the time limit its process group is killed.
 * Input and output are regular files: an app sees what a shell's redirection gives, not the sockets of Node's pipes.
 */
export async function rkt(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  using scratch = temporaryDirectory()
  writeFileSync(scratch.in('stdin'), options.input ?? '')
  const command = [options.program ?? rktProgram, ...placeFlags(options.dir), ...args]
  const [program = '', ...rest] = options.tty === true ? underTerminal(command) : command
  const stdio = [openSync(scratch.in('stdin'), 'r'), openSync(scratch.in('stdout'), 'a'), openSync(scratch.in('stderr'), 'a')]
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8', ...options.env }
  const child = spawn(program, rest, { stdio, env, detached: true, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) })
  for (const fd of stdio) closeSync(fd)
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child.pid)
  }, options.timeoutMs ?? 60_000)
  const end = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('error', () => resolve({ code: null, signal: null }))
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  clearTimeout(timer)
  return { ...end, stdout: readFileSync(scratch.in('stdout'), 'utf8'), stderr: readFileSync(scratch.in('stderr'), 'utf8'), timedOut }
}

/** The flags that keep a test's state and configuration in its own directory. */
export function placeFlags(dir: string | undefined): readonly string[] {
  if (dir === undefined) return []
  return [
    `--dir=${dir}`,
    ...['system', 'local', 'user'].map((kind) => {
      const path = `${dir}.config/${kind}`
      mkdirSync(path, { recursive: true })
      return `--${kind}-config=${path}`
    }),
  ]
}

function underTerminal(command: readonly string[]): readonly string[] {
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  return ['/usr/bin/script', '--quiet', '--return', '--command', `exec ${line}`, '/dev/null']
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The group ended between the timer and here.
  }
}
