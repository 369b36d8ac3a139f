import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AciOptions, makeAci } from './aci.ts'
import { rktProgram } from './paths.ts'
import { placeFlags, rkt, type RunOptions, type RunResult } from './run.ts'
import { mountsBelow, temporaryDirectory, type TemporaryDirectory } from './temp.ts'

export interface ShellOptions extends RunOptions {
  /** Flags of `run` before the image. */
  readonly flags?: readonly string[]
  /** Flags of the app, after the image. */
  readonly app?: readonly string[]
  /** Left out: none. */
  readonly net?: string
}

export type StartSceneOptions = Pick<ShellOptions, 'env' | 'net'>

export interface PodResult extends RunResult {
  /** Empty when no pod was made. */
  readonly uuid: string
}

/** A pod that runs in the background. */
export interface RunningPod {
  readonly uuid: string
  /** Of the launcher outside the pod. */
  readonly pid: number
  readonly end: Promise<PodResult>
  /** What the pod has printed so far. */
  stdout(): string
}

/** A data directory with one image, for all tests of a file. */
export interface PodScene extends Disposable {
  readonly place: TemporaryDirectory
  readonly dir: string
  /** Whole ID of the image. */
  readonly image: string
  /** Any command, without asking for signatures. */
  rkt(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** A pod with one app that is a line of shell; it removes itself. */
  shell(line: string, options?: ShellOptions): Promise<PodResult>
  /** Starts a pod in the background and returns when all its apps run; `words` come after `run --net=NET`. */
  start(words: readonly string[], options?: StartSceneOptions): Promise<RunningPod>
  /** A line of bash on the host: `$RKT` is the command with its flags, `$IMAGE` the image. */
  bash(line: string, options?: RunOptions): Promise<RunResult>
  /** What pods of this scene have left on the host: directories, mounts, groups. */
  leftovers(uuids?: readonly string[]): readonly string[]
}

/** Words that make a line of shell the program of the image before them. */
export function shellWords(line: string): readonly string[] {
  return ['--exec=/bin/sh', '--', '-c', line]
}

/** Fetches an image made to order into a fresh data directory. */
export async function openPodScene(options: AciOptions = {}): Promise<PodScene> {
  const place = temporaryDirectory()
  const dir = place.in('data')
  const run = (args: readonly string[], more: RunOptions = {}): Promise<RunResult> => rkt(['--insecure-options=image', ...args], { dir, ...more })
  const fetched = await run(['fetch', '--full', makeAci(options)])
  if (fetched.code !== 0) throw new Error(fetched.stderr)
  const image = fetched.stdout.trim()
  let count = 0
  const running = new Set<number>()
  const withUuid = async (words: (file: string) => Promise<RunResult>): Promise<PodResult> => {
    const file = place.in(`uuid-${count++}`)
    const result = await words(file)
    return { ...result, uuid: existsSync(file) ? readFileSync(file, 'utf8') : '' }
  }
  return {
    place,
    dir,
    image,
    rkt: run,
    shell: (line, { flags = [], app = [], net = 'none', ...more } = {}) =>
      withUuid((file) => run(['run', '--rm', `--net=${net}`, `--uuid-file-save=${file}`, ...flags, image, ...app, ...shellWords(line)], more)),
    start: (words, more = {}) => startPod({ place, dir, running, file: place.in(`uuid-${count++}`) }, words, more),
    bash: (line, more = {}) =>
      rkt(['-c', line], {
        program: '/bin/bash',
        ...more,
        env: { RKT: [rktProgram, '--insecure-options=image', ...placeFlags(dir)].join(' '), IMAGE: image, DIR: place.path, ...more.env },
      }),
    leftovers: (uuids = []) => [...podDirectories(dir), ...mountsBelow(place.path), ...groupsOf(uuids)],
    [Symbol.dispose]: () => {
      // What a failed test left behind, and what killed pods have left outside their directories.
      for (const pid of running) process.kill(pid, 'SIGKILL')
      running.clear()
      spawnSync(rktProgram, [...placeFlags(dir), 'gc', '--grace-period=0s'], { stdio: 'ignore' })
      place[Symbol.dispose]()
    },
  }
}

/** Directories of pods in all stages. */
export function podDirectories(dir: string): readonly string[] {
  const stages = join(dir, 'pods')
  return existsSync(stages) ? readdirSync(stages).flatMap((stage) => readdirSync(join(stages, stage)).map((uuid) => join(stages, stage, uuid))) : []
}

/** Control groups of these pods, in every hierarchy. */
export function groupsOf(uuids: readonly string[]): readonly string[] {
  return readdirSync('/sys/fs/cgroup').flatMap((hierarchy) =>
    uuids.map((uuid) => join('/sys/fs/cgroup', hierarchy, `rkt-${uuid}`)).filter((path) => existsSync(path)))
}

interface StartOptions {
  readonly place: TemporaryDirectory
  readonly dir: string
  readonly file: string
  /** Launchers that have not ended. */
  readonly running: Set<number>
}

async function startPod({ place, dir, file, running }: StartOptions, words: readonly string[], { env, net = 'none' }: StartSceneOptions): Promise<RunningPod> {
  const outputs = { stdout: `${file}.stdout`, stderr: `${file}.stderr` }
  for (const path of Object.values(outputs)) writeFileSync(path, '')
  const stdio = ['ignore' as const, openSync(outputs.stdout, 'a'), openSync(outputs.stderr, 'a')]
  const args = [...placeFlags(dir), '--insecure-options=image', 'run', `--net=${net}`, `--uuid-file-save=${file}`, ...words]
  const child = spawn(rktProgram, args, { stdio, cwd: place.path, env: { PATH: process.env['PATH'], ...env }, detached: true })
  for (const fd of stdio) if (typeof fd === 'number') closeSync(fd)
  if (child.pid !== undefined) running.add(child.pid)
  const stdout = (): string => readFileSync(outputs.stdout, 'utf8')
  const end = new Promise<PodResult>((resolve) => {
    child.on('exit', (code, signal) => {
      if (child.pid === undefined || !running.delete(child.pid)) return
      resolve({ code, signal, stdout: stdout(), stderr: readFileSync(outputs.stderr, 'utf8'), timedOut: false, uuid: readFileSync(file, 'utf8') })
    })
  })
  const pidFile = (): string => join(dir, 'pods/run', existsSync(file) ? readFileSync(file, 'utf8') : 'none', 'pid')
  for (let waitedMs = 0; !existsSync(pidFile()); waitedMs += 10) {
    if (waitedMs > 20_000 || child.exitCode !== null) throw new Error(`the pod did not start: ${readFileSync(outputs.stderr, 'utf8')}`)
    await sleep(10)
  }
  return { uuid: readFileSync(file, 'utf8'), pid: child.pid ?? 0, end, stdout }
}

/** Waits until `ready` holds; fails the test by an exception after 10 s. */
export async function until(what: string, ready: () => boolean): Promise<void> {
  for (let waitedMs = 0; !ready(); waitedMs += 10) {
    if (waitedMs > 10_000) throw new Error(`did not come: ${what}`)
    await sleep(10)
  }
}
