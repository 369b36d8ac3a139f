import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeAci } from './aci.ts'
import { probe, rktProgram } from './paths.ts'
import { placeFlags, rkt, type RunResult } from './run.ts'

/** Runs a compiled probe in network and mount namespaces of its own, with a `/run` of its own, and gives what it printed as JSON. */
export function runInWorld(url: string, ...args: readonly string[]): unknown {
  const script = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && exec "$@"'
  const argv = ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath, fileURLToPath(url), ...args]
  return JSON.parse(execFileSync('unshare', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 110_000 }))
}

/** An image whose app names the ports www (tcp 80), dns (udp 5353) and many (tcp 9000 to 9002). */
export function portImage(): string {
  const ports = [
    { name: 'www', protocol: 'tcp', port: 80 },
    { name: 'dns', protocol: 'udp', port: 5353 },
    { name: 'many', protocol: 'tcp', port: 9000, count: 3 },
  ]
  return makeAci({ files: { 'bin/answer': { copy: probe('answer') }, 'bin/poison': { copy: probe('poison') } }, manifest: { app: { ports } } })
}

/** Runs a program; fails when it does. */
export function command(...argv: readonly [string, ...string[]]): string {
  const [program, ...rest] = argv
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

/**
 * Two hosts beside this one, each on a link of its own: `out` (192.0.2.2, 2001:db8:1::2) behind 192.0.2.1, and `near` (198.51.100.2)
 * behind 198.51.100.1. Both send what they do not know to this host.
 */
export function makeNeighbours(): void {
  command('ip', 'link', 'set', 'lo', 'up')
  for (const [name, net, net6] of [['out', '192.0.2', '2001:db8:1:'], ['near', '198.51.100', '2001:db8:2:']] as const) {
    const own = (...words: string[]): string => command('ip', '-n', name, ...words)
    command('ip', 'netns', 'add', name)
    command('ip', 'link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    command('ip', 'addr', 'add', `${net}.1/24`, 'dev', `to-${name}`)
    command('ip', 'addr', 'add', `${net6}:1/64`, 'dev', `to-${name}`, 'nodad')
    command('ip', 'link', 'set', `to-${name}`, 'up')
    own('addr', 'add', `${net}.2/24`, 'dev', 'eth0')
    own('addr', 'add', `${net6}:2/64`, 'dev', 'eth0', 'nodad')
    own('link', 'set', 'eth0', 'up')
    own('link', 'set', 'lo', 'up')
    own('route', 'add', 'default', 'via', `${net}.1`)
    own('-6', 'route', 'add', 'default', 'via', `${net6}:1`)
  }
}

export interface Question {
  /** Who asks; left out: this host. */
  readonly from?: 'out' | 'near'
  readonly protocol?: 'tcp' | 'udp'
  readonly ip: string
  readonly port: number
}

/** What is answered within a second; empty for nothing. */
export function ask({ from, protocol = 'tcp', ip, port }: Question): string {
  // At the end of its input nc waits for nothing more.
  const line = protocol === 'udp' ? `(echo x; sleep 0.3) | nc -u -w1 ${ip} ${port}` : `nc -w1 ${ip} ${port} </dev/null`
  const argv = [...(from === undefined ? [] : ['ip', 'netns', 'exec', from]), 'timeout', '2', 'sh', '-c', line]
  return spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).stdout.trim()
}

export interface WorldPod {
  readonly uuid: string
  readonly dir: string
  /** Of the launcher. */
  readonly pid: number
  stop(): Promise<void>
}

export interface WorldPodOptions {
  readonly dir: string
  readonly image: string
  readonly flags?: readonly string[]
  /** What executes the command. */
  readonly through?: string
  /** Shell, in the background of which everything runs. */
  readonly script: string
}

let count = 0

/** Starts a pod and waits until its app runs. */
export async function startWorldPod({ dir, image, flags = [], through, script }: WorldPodOptions): Promise<WorldPod> {
  const file = `${dir}-uuid-${count++}`
  const argv = [...(through === undefined ? [] : [rktProgram]), ...placeFlags(dir), '--insecure-options=image', 'run', `--uuid-file-save=${file}`, ...flags, image, '--exec=/bin/sh', '--', '-c', script]
  const child = spawn(through ?? rktProgram, argv, { stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for (let waitedMs = 0; ; waitedMs += 20) {
    const uuid = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const pod = join(dir, 'pods', 'run', uuid)
    if (uuid !== '' && existsSync(join(pod, 'pid'))) {
      return {
        uuid,
        dir: pod,
        pid: child.pid ?? 0,
        stop: async () => {
          await rkt(['stop', '--force', uuid], { dir })
          await ended
        },
      }
    }
    if (child.exitCode !== null || waitedMs > 20_000) throw new Error('the pod did not start')
    await sleep(20)
  }
}

/** A command in the world. */
export async function worldRkt(dir: string, args: readonly string[]): Promise<RunResult> {
  return await rkt(['--insecure-options=image', ...args], { dir })
}

/** Waits until a question is answered. */
export async function answered(question: Question): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = ask(question)
    if (answer !== '') return answer
    await sleep(30)
  }
  return ''
}
