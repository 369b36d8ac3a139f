import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { random } from '../../fuzz/random.ts'
import { fuzz } from '../../fuzz/fuzz.ts'
import { projectRoot } from '../../support/paths.ts'

const seed = String(1 + Math.floor(Math.random() * 1e6))

test('every reader of what others have written gives a value or refuses, in bounded time and memory, whatever the bytes', (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectRoot, 'build/js/test/fuzz/main.js'), '--seconds=8', `--seed=${seed}`], { encoding: 'utf8', timeout: 100_000 })
  t.is(status, 0, `seed ${seed}: ${stdout}${stderr}`)
  t.regex(stdout, /^fuzz: \d{2} readers, \d+ MiB at most$/m)
})

for (const reader of ['plan', 'guest', 'control']) {
  test(`the launcher's reader of ${reader} bytes runs clean under sanitizers, whatever they are`, (t) => {
    const corpus = join(projectRoot, 'test/fuzz/corpus', reader)
    const words = ['2', seed, ...readdirSync(corpus).map((name) => join(corpus, name))]
    const { status, stdout, stderr } = spawnSync(join(projectRoot, `build/fuzz/launcher-${reader}`), words, { encoding: 'utf8', env: {}, timeout: 60_000 })
    t.is(status, 0, `seed ${seed}: ${stderr}`)
    t.regex(stdout, /^\d+ rounds, \d+ accepted, \d+ new ways, \d+ MiB\n$/)
  })
}

test('the twin: a reader that fails by surprise, or is too slow, is found', async (t) => {
  const options = { seeds: [Buffer.from('{"a":[1,2]}')], seed: 1, rounds: 2000, timeMs: 20_000 }
  const surprise = await fuzz({ name: 'surprise', read: (bytes) => (bytes.includes('__proto__') ? Buffer.alloc(-1) : bytes) }, options)
  t.true(surprise.finding?.input.includes('__proto__'))
  t.true(surprise.finding?.error instanceof RangeError)
  const spin = (bytes: Buffer): void => {
    for (const endMs = Date.now() + (bytes.byteLength > 100 ? 4000 : 0); Date.now() < endMs; ) Math.random()
  }
  t.regex(String((await fuzz({ name: 'slow', read: spin }, options)).finding?.error), /ms of processor time/)
})

test('mutations can be repeated: the same seed gives the same numbers', (t) => {
  const draw = (start: number): readonly number[] => {
    const source = random(start)
    return Array.from({ length: 20 }, () => source.below(1000))
  }
  t.deepEqual(draw(7), draw(7))
  t.notDeepEqual(draw(7), draw(8))
})
