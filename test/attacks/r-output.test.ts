import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { openScene, type Scene, shell } from '../functional/cli-scene.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags } from '../support/run.ts'

/** Starts the command with one descriptor as its output; it must end by itself. */
function start(scene: Scene, words: readonly string[], output: number | 'ignore'): ChildProcess {
  const args = [...placeFlags(scene.place.in('data')), '--insecure-options=image', 'run', '--net=none', ...words]
  return spawn(rktProgram, args, { stdio: ['ignore', output, output], env: { PATH: '/usr/bin:/bin' } })
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); await sleep(20)) if (Date.now() > end) throw new Error('it did not come')
}

/** Milliseconds that the command takes to end after a signal; it is killed after the limit. */
async function timeToEnd(child: ChildProcess, signal: NodeJS.Signals, limitMs: number): Promise<number> {
  const began = Date.now()
  const exit = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  await exit
  clearTimeout(timer)
  return Date.now() - began
}

/** A directory of the host that apps may write to, as the words that mount it on /shared. */
function shared(scene: Scene): { readonly words: readonly string[]; in(name: string): string } {
  const path = scene.place.in('shared')
  mkdirSync(path)
  return { words: [`--volume=shared,kind=host,source=${path}`, '--mount=volume=shared,target=/shared'], in: (name) => `${path}/${name}` }
}

test('F an app that reads its own output cannot hang the launcher', async (t) => {
  using scene = await openScene(t)
  const place = shared(scene)
  const child = start(scene, [...place.words, scene.image, ...shell('touch /shared/on; exec sleep 60')], 'ignore')
  await until(() => existsSync(place.in('on')))
  // ATTACK: what poll promised, the app has taken when the launcher reads: only a read that never blocks comes back.
  const fds = readdirSync(`/proc/${child.pid}/fd`).filter((fd) => readlinkSync(`/proc/${child.pid}/fd/${fd}`).startsWith('pipe:'))
  t.true(fds.length >= 2)
  for (const fd of fds) t.regex(readFileSync(`/proc/${child.pid}/fdinfo/${fd}`, 'utf8'), /^flags:\s*0[0-7]*[4-7][0-7]{3}$/m)
  t.true((await timeToEnd(child, 'SIGTERM', 20_000)) < 9000)
})

test('F a full pipe that both outputs share does not hang the launcher', async (t) => {
  using scene = await openScene(t)
  const place = shared(scene)
  const fifo = scene.place.in('fifo')
  execFileSync('mkfifo', [fifo])
  const pipe = openSync(fifo, 'r+')
  const page = Buffer.alloc(4096)
  // Of 16 pages one is left: both outputs poll writable, the second write would block.
  for (let n = 0; n < 15; n++) writeSync(pipe, page)
  const write = 'dd if=/dev/zero bs=4096 count=1 2>/dev/null'
  const line = `touch /shared/on; until [ -e /shared/go ]; do sleep 0.1; done; { ${write}; } >&2; ${write}; touch /shared/done; exec sleep 60`
  const child = start(scene, [...place.words, scene.image, ...shell(line)], pipe)
  await until(() => existsSync(place.in('on')))
  child.kill('SIGSTOP')
  closeSync(openSync(place.in('go'), 'w'))
  await until(() => existsSync(place.in('done')))
  child.kill('SIGCONT')
  await sleep(300)
  // The app ends at once; its reader gets ten seconds.
  t.true((await timeToEnd(child, 'SIGTERM', 25_000)) < 18_000)
  closeSync(pipe)
})

test('F output that an app handed to another process does not keep the launcher', async (t) => {
  using scene = await openScene(t)
  const place = shared(scene)
  const child = start(scene, [...place.words, scene.image, ...shell('touch /shared/on; exec sleep 60')], 'ignore')
  await until(() => existsSync(place.in('on')))
  // ATTACK: as a descriptor over a socket in a shared volume; here another process of the host opens the app's output.
  const [init] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ')
  const [app] = readFileSync(`/proc/${init}/task/${init}/children`, 'utf8').split(' ')
  const holder = spawn('sh', ['-c', `exec >/proc/${app}/fd/1; touch ${place.in('held')}; while :; do echo more; sleep 1; done`], { stdio: 'ignore' })
  t.teardown(() => holder.kill('SIGKILL'))
  await until(() => existsSync(place.in('held')))
  t.true((await timeToEnd(child, 'SIGTERM', 20_000)) < 9000)
})
