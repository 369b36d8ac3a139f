import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AciOptions, makeAci } from './aci.ts'
import { rktProgram } from './paths.ts'
import { rkt, type RunOptions, type RunResult } from './run.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temp.ts'

/** The ordinary user of a scene, and his subordinate ids. */
export const ordinaryUser = { id: 41_234, name: 'rkt-tester', firstSubordinate: 1_500_000_000, subordinates: 65_536 } as const

export interface UserOptions {
  /** Lines of /etc/subuid and /etc/subgid instead of the usual range. */
  readonly subordinate?: { readonly uids: string; readonly gids: string }
  /** Process whose network namespace is the user's. */
  readonly networkOf?: number
  /** Shell commands of root in the mount namespace before the user gets it; `$PLACE` is the place. */
  readonly before?: string
}

/** An ordinary user with a home of his own, on a machine whose /etc has him; nothing of the real /etc is touched. */
export interface RootlessUser extends Disposable {
  readonly place: TemporaryDirectory
  readonly home: string
  /** The data directory that the user gets without any flag. */
  readonly data: string
  /** The command as the user, with no flag that names a directory. */
  rkt(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** A line of bash as the user; `$RKT` is the command. */
  bash(line: string, options?: RunOptions): Promise<RunResult>
  /** Makes a file of the user's. */
  file(path: string, content: string | Uint8Array, mode?: number): string
}

export function openUser(options: UserOptions = {}): RootlessUser {
  const place = temporaryDirectory()
  chmodSync(place.path, 0o755)
  const home = place.in('home')
  mkdirSync(home, { mode: 0o700 })
  chownSync(home, ordinaryUser.id, ordinaryUser.id)
  const asUser = writePrograms(place, options)
  const env = { HOME: home, RKT: rktProgram }
  const run = (args: readonly string[], more: RunOptions = {}): Promise<RunResult> =>
    rkt(args, { program: asUser, cwd: home, ...more, env: { ...env, ...more.env } })
  return {
    place,
    home,
    data: join(home, '.local/share/rkt'),
    rkt: (args, more) => run([rktProgram, ...args], more),
    bash: (line, more) => run(['/bin/bash', '-c', line], more),
    file(path, content, mode = 0o644) {
      const whole = join(home, path)
      writeFileSync(whole, content)
      chmodSync(whole, mode)
      chownSync(whole, ordinaryUser.id, ordinaryUser.id)
      return whole
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  }
}

/** The program that becomes the user in a mount namespace of its own, whose /etc has him. */
function writePrograms(place: TemporaryDirectory, { subordinate, networkOf, before = '' }: UserOptions): string {
  const { id, name, firstSubordinate, subordinates } = ordinaryUser
  const range = `${name}:${firstSubordinate}:${subordinates}\n`
  const etc = place.in('etc')
  mkdirSync(etc)
  const add = (file: string, text: string): void => writeFileSync(join(etc, file), text, { mode: 0o644 })
  add('passwd', `${readFileSync('/etc/passwd', 'utf8')}${name}:x:${id}:${id}::${place.in('home')}:/bin/sh\n`)
  add('group', `${readFileSync('/etc/group', 'utf8')}${name}:x:${id}:\n`)
  add('subuid', subordinate?.uids ?? range)
  add('subgid', subordinate?.gids ?? range)
  const program = place.in('as-user')
  const lines = [
    '#!/bin/sh',
    'set -e',
    'if [ -z "$IN_SCENE" ]; then exec /usr/bin/env IN_SCENE=1 /usr/bin/unshare --mount --propagation=private -- "$0" "$@"; fi',
    `PLACE=${place.path}`,
    ...(networkOf === undefined ? [] : [`[ -n "$IN_NETWORK" ] || exec /usr/bin/env IN_SCENE=1 IN_NETWORK=1 /usr/bin/nsenter --target=${networkOf} --net -- "$0" "$@"`]),
    'unset IN_SCENE IN_NETWORK',
    `mount -t overlay -o lowerdir=${etc}:/etc overlay /etc`,
    before,
    `cd "$HOME"`,
    `exec /usr/bin/setpriv --reuid=${id} --regid=${id} --clear-groups -- "$@"`,
  ]
  writeFileSync(program, `${lines.join('\n')}\n`)
  chmodSync(program, 0o755)
  return program
}

/** A pod of the user in the background. */
export interface UserPod {
  readonly uuid: string
  /** Of the launcher outside the pod. */
  readonly pid: number
  readonly end: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  stdout(): string
}

/** A user who has fetched an image. */
export interface RootlessScene extends RootlessUser {
  /** Whole ID of the image. */
  readonly image: string
  /** A pod with one app that is a line of shell; it removes itself. */
  shell(line: string, options?: RunOptions & { readonly flags?: readonly string[]; readonly app?: readonly string[]; readonly net?: string }): Promise<RunResult>
  /** Starts a pod in the background and returns when all its apps run; `words` come after `run`. */
  start(words: readonly string[]): Promise<UserPod>
}

export async function openRootlessScene(options: AciOptions & UserOptions = {}): Promise<RootlessScene> {
  const { subordinate, before, networkOf, ...image } = options
  const user = openUser({
    ...(subordinate === undefined ? {} : { subordinate }),
    ...(before === undefined ? {} : { before }),
    ...(networkOf === undefined ? {} : { networkOf }),
  })
  const aci = user.file('image.aci', readFileSync(makeAci(image)))
  const fetched = await user.rkt(['--insecure-options=image', 'fetch', '--full', aci])
  if (fetched.code !== 0) throw new Error(fetched.stderr)
  const id = fetched.stdout.trim()
  const running = new Set<number>()
  let count = 0
  return {
    ...user,
    image: id,
    shell: (line, { flags = [], app = [], net = 'none', ...more } = {}) =>
      user.rkt(['--insecure-options=image', 'run', '--rm', `--net=${net}`, ...flags, id, ...app, '--exec=/bin/sh', '--', '-c', line], more),
    start: (words) => startPod(user, { words, name: `pod-${count++}`, running }),
    [Symbol.dispose]: () => {
      for (const pid of running) process.kill(pid, 'SIGKILL')
      // Files of subordinate ids are the user's to remove.
      spawnSync(user.place.in('as-user'), [rktProgram, 'gc', '--grace-period=0s'], { stdio: 'ignore', env: { HOME: user.home, PATH: process.env['PATH'] } })
      user[Symbol.dispose]()
    },
  }
}

interface StartOptions {
  readonly words: readonly string[]
  readonly name: string
  readonly running: Set<number>
}

async function startPod(user: RootlessUser, { words, name, running }: StartOptions): Promise<UserPod> {
  const uuidFile = join(user.home, name)
  const output = user.place.in(`${name}.stdout`)
  const errors = user.place.in(`${name}.stderr`)
  const stdio = ['ignore' as const, openSync(output, 'a'), openSync(errors, 'a')]
  const args = [rktProgram, '--insecure-options=image', 'run', `--uuid-file-save=${uuidFile}`, ...words]
  const child = spawn(user.place.in('as-user'), args, { stdio, detached: true, env: { HOME: user.home, PATH: process.env['PATH'] } })
  for (const fd of stdio) if (typeof fd === 'number') closeSync(fd)
  const pid = child.pid ?? 0
  running.add(pid)
  const end = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('exit', (code, signal) => {
      running.delete(pid)
      resolve({ code, signal })
    })
  })
  const uuid = (): string => (existsSync(uuidFile) ? readFileSync(uuidFile, 'utf8') : '')
  for (let waitedMs = 0; uuid() === '' || !existsSync(join(user.data, 'pods/run', uuid(), 'pid')); waitedMs += 10) {
    if (waitedMs > 20_000 || child.exitCode !== null) throw new Error(`the pod did not start: ${readFileSync(errors, 'utf8')}`)
    await sleep(10)
  }
  return { uuid: uuid(), pid, end, stdout: () => readFileSync(output, 'utf8') }
}
