import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { rktProgram } from './paths.ts'
import { placeFlags } from './run.ts'
import type { TemporaryDirectory } from './temp.ts'

export interface StartApiOptions {
  /** Holds its messages. */
  readonly place: TemporaryDirectory
  readonly dir: string
  readonly flags?: readonly string[]
  /** What starts the command, with its words before it. */
  readonly before?: readonly string[]
}

/** An API service that answers. */
export interface ApiService extends AsyncDisposable {
  /** Where it listens, as gRPC writes it. */
  readonly targets: readonly string[]
  stderr(): string
  /** Exit status after the signal; null when it was killed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Kilobytes of memory. */
  residentKb(): number
}

let count = 0

/** Starts `rkt api-service` and waits until it runs; without flags on a free port of 127.0.0.1. */
export async function startApi({ place, dir, flags = ['--listen=127.0.0.1:0'], before = [] }: StartApiOptions): Promise<ApiService> {
  const path = place.in(`api-${count++}.stderr`)
  const [program = '', ...words] = [...before, rktProgram, ...placeFlags(dir), 'api-service', ...flags]
  const fd = openSync(path, 'w')
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', fd], env: { PATH: process.env['PATH'] } })
  closeSync(fd)
  const exit = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)))
  const stderr = (): string => readFileSync(path, 'utf8')
  for (let waitedMs = 0; !stderr().includes('API service running'); waitedMs += 20) {
    if (waitedMs > 30_000 || hasEnded(child)) throw new Error(`the service did not start: ${stderr()}`)
    await sleep(20)
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (!hasEnded(child)) child.kill(signal)
    return await exit
  }
  return {
    targets: [...stderr().matchAll(/Listening on (.*)$/gm)].map(([, address = '']) => (address.startsWith('/') ? `unix:${address}` : address)),
    stderr,
    stop,
    residentKb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]),
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL')
    },
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
