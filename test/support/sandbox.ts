import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { rktProgram } from './paths.ts'
import { until } from './pod-scene.ts'
import type { PodScene } from './pod-scene.ts'
import { placeFlags, type RunResult } from './run.ts'

/** A pod of `rkt app sandbox` that runs in the background. */
export interface Sandbox extends AsyncDisposable {
  readonly uuid: string
  /** Of the launcher outside the pod. */
  readonly pid: number
  /** The pod directory. */
  readonly dir: string
  /** `rkt app VERB UUID …`. */
  app(verb: string, ...words: readonly string[]): Promise<RunResult>
  /** Stops the pod; its exit status. */
  stop(): Promise<number | null>
}

let count = 0

/** Starts a pod without apps. */
export async function openSandbox(scene: PodScene, words: readonly string[] = []): Promise<Sandbox> {
  const file = scene.place.in(`sandbox-${count++}`)
  const log = openSync(`${file}.log`, 'a')
  const args = [...placeFlags(scene.dir), '--insecure-options=image', 'app', 'sandbox', '--net=none', `--uuid-file-save=${file}`, ...words]
  const child = spawn(rktProgram, args, { stdio: ['ignore', log, log], env: { PATH: process.env['PATH'] }, detached: true })
  closeSync(log)
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await until(`a sandbox: ${file}.log`, () => existsSync(file) && existsSync(`${scene.dir}/pods/run/${readFileSync(file, 'utf8')}/pid`))
  const uuid = readFileSync(file, 'utf8')
  await scene.rkt(['status', '--wait-ready=10s', uuid])
  return {
    uuid,
    pid: child.pid ?? 0,
    dir: `${scene.dir}/pods/run/${uuid}`,
    app: (verb, ...more) => scene.rkt(['app', verb, uuid, ...more]),
    stop: async () => {
      await scene.rkt(['stop', uuid])
      return await exit
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exit
    },
  }
}
