import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../support/paths.ts'

/** What a reader is known to accept: the files of `corpus/NAME/`, or the lines of `corpus/NAME.txt`. */
export function seedsOf(reader: string): readonly Buffer[] {
  const place = join(projectRoot, 'test/fuzz/corpus', reader)
  const seeds = existsSync(place)
    ? readdirSync(place).toSorted().map((name) => readFileSync(join(place, name)))
    : readFileSync(`${place}.txt`, 'utf8').trimEnd().split('\n').map((line) => Buffer.from(line))
  if (seeds.length === 0) throw new Error(`no corpus for ${reader}`)
  return seeds
}
