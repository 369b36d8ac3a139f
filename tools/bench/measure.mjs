// Runs commands under build/bench/timed and compares them in alternating rounds.
import { spawnSync } from 'node:child_process'

/** The environment of everything measured. NODE_EXTRA_CA_CERTS would add 80 ms to each start of Node 20. */
export const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')))

/** Runs a command that only prepares; fails with what it said. */
export function prepare(argv, options = {}) {
  const [program, ...rest] = argv
  const { status, stdout, stderr, error } = spawnSync(program, rest, { env: environment, encoding: 'utf8', maxBuffer: 1 << 28, ...options })
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${error?.message ?? `status ${status}`}\n${stderr ?? ''}`)
  return stdout
}

/** Runs a command once: milliseconds from start to end, milliseconds of processor time, largest resident set of any of its processes. */
export function timed(program, argv, env = environment) {
  const { output, error } = spawnSync(program, argv, { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
  const [nanoseconds, cpuNanoseconds, peakKiB, status] = (output?.[3]?.toString() ?? '').trim().split(' ').map(Number)
  if (status !== 0) throw new Error(`${argv.join(' ')}: status ${status ?? error?.message}\n${output?.[2] ?? ''}`)
  return { ms: nanoseconds / 1e6, cpuMs: cpuNanoseconds / 1e6, peakKiB }
}

/**
 * Measures competitors side by side: each round runs every one of them once, so that a machine that slows down slows down all.
 * `competitors` maps a name to `{ argv, env?, before?, after? }`; the first round warms caches and is not counted.
 */
export function sideBySide(timer, competitors, runs) {
  const samples = Object.fromEntries(Object.keys(competitors).map((name) => [name, []]))
  for (let round = -1; round < runs; round += 1) {
    for (const [name, { argv, env, before, after }] of Object.entries(competitors)) {
      before?.()
      const sample = timed(timer, argv, env)
      after?.()
      if (round >= 0) samples[name].push(sample)
    }
  }
  return Object.fromEntries(
    Object.entries(samples).map(([name, list]) => [
      name,
      {
        ms: median(list.map(({ ms }) => ms)),
        cpuMs: median(list.map(({ cpuMs }) => cpuMs)),
        peakKiB: Math.max(...list.map(({ peakKiB }) => peakKiB)),
        samplesMs: list.map(({ ms }) => round(ms)),
      },
    ]),
  )
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Three significant places are more than these numbers carry. */
export function round(value) {
  return Math.round(value * 100) / 100
}
