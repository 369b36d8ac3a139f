import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment, median, prepare } from '../measure.mjs'
import { makePodman } from '../podman.mjs'
import { imageName } from '../place.mjs'

export const title = 'resident memory of a running pod besides the app'

export async function measure(place, runs) {
  const samples = []
  for (let round = 0; round < Math.min(runs, 15); round += 1) samples.push(await samplePod(place))
  const conmon = samplePodman(place)
  const oursKiB = median(samples.map(({ kib }) => kib))
  return {
    results: { rkt: { kib: oursKiB, processes: samples[0].processes }, conmon: { kib: conmon } },
    rows: [{ what: `${title}, KiB PSS`, ours: oursKiB, peer: 'conmon', theirs: conmon, budget: 512, rule: '512 KiB, no Node process' }],
  }
}

async function samplePod(place) {
  const argv = ['run', '--rm', '--net=none', '--pull-policy=never', imageName, '--exec=/bin/sleep', '--', '1000']
  const [program, ...rest] = [...place.rktFlags(place.data), ...argv]
  const child = spawn(program, rest, { env: environment, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const app = await appOf(child.pid)
    const others = [child.pid, ...descendants(child.pid)].filter((pid) => pid !== app)
    const processes = others.map((pid) => ({ program: readlinkSync(`/proc/${pid}/exe`), kib: pssKiB(pid) }))
    if (processes.some(({ program: exe }) => exe.endsWith('/node'))) throw new Error('a Node process stays with the pod')
    return { processes, kib: processes.reduce((sum, { kib }) => sum + kib, 0) }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

/** Waits until the app runs: the one process whose program is sleep. */
async function appOf(pid) {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 20) {
    const app = descendants(pid).find((below) => readFileSync(`/proc/${below}/comm`, 'utf8').trim() === 'sleep')
    if (app !== undefined) {
      await sleep(100)
      return app
    }
    await sleep(20)
  }
  throw new Error('the app of the pod does not start')
}

function descendants(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter((word) => word !== '').map(Number),
  )
  return children.flatMap((child) => [child, ...descendants(child)])
}

function pssKiB(pid) {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
}

function samplePodman(place) {
  const podman = makePodman(place)
  prepare(podman.run('--detach', '--name=memory', '--conmon-pidfile', `${place.tmpfs}/conmon.pid`, ['/bin/sleep', '1000']), { env: podman.env })
  try {
    return pssKiB(Number(readFileSync(`${place.tmpfs}/conmon.pid`, 'utf8')))
  } finally {
    podman.command('rm', '--force', '--time=0', 'memory')
  }
}
