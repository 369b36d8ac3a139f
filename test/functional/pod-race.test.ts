import test from 'ava'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { makePlace, type Place, prepareSample } from '../unit/pod/fixtures/sample.ts'

const program = fileURLToPath(new URL('../unit/pod/fixtures/live-pod.js', import.meta.url))

interface Outcome {
  readonly output: string
  readonly complaint: string
  readonly status: number | null
}

/** Runs eight of the same at once. */
async function eight(place: Place, ...words: readonly string[]): Promise<Outcome[]> {
  return await Promise.all(
    Array.from({ length: 8 }, async () => {
      const child = spawn(process.execPath, [program, place.dataDir, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: {} })
      const [output, complaint, status] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        new Promise<number | null>((resolve) => child.once('close', resolve)),
      ])
      return { output, complaint, status }
    }),
  )
}

test('of eight processes that take one prepared pod, one gets it and the others say so', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  pod.toPrepared()
  const outcomes = await eight(place, 'take-once', pod.uuid)
  t.is(outcomes.filter(({ status }) => status === 0).length, 1)
  for (const { complaint } of outcomes.filter(({ status }) => status !== 0)) {
    t.regex(complaint, new RegExp(`^(pod "${pod.uuid}" is not prepared|cannot move pod "${pod.uuid}" from prepared to run: another process has moved or removed it)\n$`))
  }
})

test('eight processes that prepare at once get eight different ranges of ids', async (t) => {
  using place = makePlace()
  const outcomes = await eight(place, 'prepare-many', '4')
  t.deepEqual(outcomes.map(({ complaint }) => complaint), Array.from({ length: 8 }, () => ''))
  const prepared = join(place.dataDir, 'pods', 'prepared')
  const ranges = readdirSync(prepared).map((uuid) => readFileSync(join(prepared, uuid, 'private-users-prepared'), 'utf8'))
  t.is(ranges.length, 32)
  t.is(new Set(ranges).size, 32)
})

test('eight collections at once leave nothing and complain about nothing', async (t) => {
  using place = makePlace()
  for (let count = 0; count < 20; count += 1) {
    using pod = await prepareSample(place)
    if (count % 2 === 0) pod.toRun()
  }
  const outcomes = await eight(place, 'collect')
  t.deepEqual(outcomes.map(({ status }) => status), Array.from({ length: 8 }, () => 0))
  t.deepEqual(outcomes.map(({ complaint }) => complaint).filter((complaint) => complaint !== ''), [])
  const pods = join(place.dataDir, 'pods')
  t.deepEqual(readdirSync(pods).flatMap((stage) => readdirSync(join(pods, stage))), [])
})
