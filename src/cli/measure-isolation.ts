import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText, isErrno, libraryFile, RktError } from '../base/index.ts'
import { hostPlatform } from '../spec/index.ts'
import { buildAci } from '../store/index.ts'
import { smallestApp } from '../stage1/index.ts'
import type { Context } from './context.ts'

/** What a flavour costs here; `memoryKiB` is the PSS of all processes of a pod whose app waits. */
export interface IsolationCost {
  readonly startMs: number
  readonly memoryKiB: number
}

const rounds = 5

/** Costs by flavour, as `--measure` has kept them. */
export function readCosts({ dataDir }: Context): ReadonlyMap<string, IsolationCost> {
  let text: string
  try {
    text = readFileSync(costFile(dataDir), 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return new Map()
    throw error
  }
  const json: unknown = JSON.parse(text)
  return new Map(Object.entries(isRecord(json) ? json : {}).flatMap(([name, cost]): [string, IsolationCost][] => (isCost(cost) ? [[name, cost]] : [])))
}

/**
 * Starts pods of the smallest app with each flavour, in a data directory that is removed again, and keeps the costs.
 *
 * @throws RktError `child-failed` when a pod does not start.
 */
export async function measureCosts(context: Context, names: readonly string[]): Promise<ReadonlyMap<string, IsolationCost>> {
  const place = mkdtempSync(join(tmpdir(), 'rkt-isolation-'))
  const command = [join(dirname(libraryFile('launcher')), '../../bin/rkt'), `--dir=${join(place, 'data')}`, `--local-config=${join(place, 'etc')}`, '--insecure-options=image']
  try {
    const image = await makeImage(place, context.signal)
    const costs = new Map<string, IsolationCost>()
    for (const name of names) costs.set(name, await measure({ command, image, name, signal: context.signal }))
    mkdirSync(context.dataDir, { recursive: true })
    writeFileSync(costFile(context.dataDir), `${JSON.stringify(Object.fromEntries(costs), undefined, 2)}\n`)
    return costs
  } finally {
    spawnSync(command[0] ?? '', [...command.slice(1), 'gc', '--grace-period=0s'], { stdio: 'ignore' })
    rmSync(place, { recursive: true, force: true })
  }
}

async function makeImage(place: string, signal: AbortSignal): Promise<string> {
  const { program, exit } = smallestApp()
  mkdirSync(join(place, 'rootfs'))
  copyFileSync(program, join(place, 'rootfs/app'))
  const { os, arch } = hostPlatform(process.arch)
  const labels = [{ name: 'os', value: os }, { name: 'arch', value: arch }]
  const app = { exec: exit, user: '0', group: '0' }
  writeFileSync(join(place, 'manifest'), JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: 'rkt.example/smallest', labels, app }))
  const out = join(place, 'smallest.aci')
  await buildAci({ manifestPath: join(place, 'manifest'), rootfs: join(place, 'rootfs'), out, compression: 'none', overwrite: false, signal })
  return out
}

interface Measured {
  readonly command: readonly string[]
  readonly image: string
  readonly name: string
  readonly signal: AbortSignal
}

async function measure(what: Measured): Promise<IsolationCost> {
  const net = what.name === 'fly' ? 'host' : 'none'
  const [program = '', ...flags] = [...what.command, 'run', '--rm', `--net=${net}`, `--isolation=${what.name}`, what.image]
  const times: number[] = []
  // The first one fetches and renders, and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    what.signal.throwIfAborted()
    const start = performance.now()
    const { status, stderr, error } = spawnSync(program, flags, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 })
    if (status !== 0) throw new RktError('child-failed', `cannot measure isolation "${what.name}": ${error === undefined ? lastLine(stderr.toString()) : errorText(error)}`)
    if (round > 0) times.push(performance.now() - start)
  }
  const sorted = times.toSorted((a, b) => a - b)
  return { startMs: Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10, memoryKiB: await memoryOf(program, [...flags, '--exec=/app', '--', ...smallestApp().wait.slice(1)]) }
}

async function memoryOf(program: string, words: readonly string[]): Promise<number> {
  const child = spawn(program, words, { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    const deadline = performance.now() + 60_000
    // The pod stands when its processes and their memory stay as they are.
    for (let last = -1, same = 0; same < 5; ) {
      if (performance.now() > deadline || child.exitCode !== null) throw new RktError('child-failed', 'cannot measure the memory of a pod: it does not start')
      await sleep(100)
      const tree = treeOf(child.pid ?? 0)
      const now = tree.length > 1 ? sum(tree) : -1
      same = now > 0 && now === last ? same + 1 : 0
      last = now
    }
    return sum(treeOf(child.pid ?? 0))
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

function treeOf(pid: number): number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).split(' ').flatMap((word) => (/^\d+$/.test(word) ? [Number(word)] : []))
  const ofThreads = threadsOf(pid).flatMap((thread) => (thread === pid ? [] : readText(`/proc/${pid}/task/${thread}/children`).split(' ').flatMap((word) => (/^\d+$/.test(word) ? [Number(word)] : []))))
  return [pid, ...[...children, ...ofThreads].flatMap(treeOf)]
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    // Ended meanwhile.
    return []
  }
}

function sum(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + Number(/^Pss:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0)
}

/** Empty for a process that has ended meanwhile. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return ''
    throw error
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

function costFile(dataDir: string): string {
  return join(dataDir, 'isolation-costs.json')
}

function isCost(value: unknown): value is IsolationCost {
  return isRecord(value) && typeof value['startMs'] === 'number' && typeof value['memoryKiB'] === 'number'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
