// main.js [--rounds=N] [--seconds=N] [--seed=N] [READER…]: feeds the readers of what others have written with mutations of the corpus. The
// time is for all of them together. An input with which a reader neither gives a value nor refuses is kept in build/fuzz.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { projectRoot } from '../support/paths.ts'
import { seedsOf } from './corpus.ts'
import { documents } from './documents.ts'
import { fuzz } from './fuzz.ts'
import { texts } from './texts.ts'
import { openTreeReaders } from './trees.ts'

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '1000000000' }, seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
})
/** As much memory as the process may have used at its end, of which Node itself takes about 60 MiB. */
const maxRssKiB = 512 * 1024

using trees = openTreeReaders()
const readers = [...documents, ...texts, ...trees.readers].filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const timeMs = (Number(values.seconds) * 1000) / readers.length
for (const reader of readers) {
  const { rounds, accepted, slowestMs, finding } = await fuzz(reader, { seeds: seedsOf(reader.name), seed: Number(values.seed), rounds: Number(values.rounds), timeMs })
  console.log(`fuzz: ${reader.name}: ${rounds} inputs, ${accepted} accepted, slowest ${slowestMs.toFixed(1)} ms`)
  if (finding !== undefined) {
    const place = join(projectRoot, 'build/fuzz')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, `finding-${reader.name}`), finding.input)
    console.log(`fuzz: ${reader.name}: see build/fuzz/finding-${reader.name}: ${inspect(finding.error)}`)
    process.exitCode = 1
  }
}
const { maxRSS } = process.resourceUsage()
console.log(`fuzz: ${readers.length} readers, ${Math.round(maxRSS / 1024)} MiB at most`)
if (maxRSS > maxRssKiB) process.exitCode = 1
