import { isRktError } from '../../src/base/index.ts'
import { mutate } from './mutate.ts'
import { random } from './random.ts'

/** A reader of bytes that somebody else has written. */
export interface Reader {
  readonly name: string
  /** Reads the bytes; a value, or an error that `refuses` knows. Throws also when a promise of its own does not hold. */
  read(bytes: Buffer): unknown
  /** Which errors are an answer; left out: those of rkt alone. */
  readonly refuses?: (error: unknown) => boolean
}

export interface FuzzOptions {
  readonly seeds: readonly Buffer[]
  readonly seed: number
  /** Whichever comes first. */
  readonly rounds: number
  readonly timeMs: number
}

export interface Finding {
  readonly reader: string
  readonly input: Buffer
  readonly error: unknown
}

export interface Fuzzed {
  readonly rounds: number
  readonly accepted: number
  /** Processor time of the slowest input. */
  readonly slowestMs: number
  readonly finding: Finding | undefined
}

/** No input of the length that mutations have may cost more, collection of garbage included. */
const maxCpuMs = 1500

/**
 * Feeds a reader with the seeds, each of which it must accept, and with mutations of them and of what it accepted: it gives a value or
 * refuses, in bounded time. Ends at the first input with which it does something else.
 */
export async function fuzz(reader: Reader, { seeds, seed, rounds, timeMs }: FuzzOptions): Promise<Fuzzed> {
  const source = random(seed)
  const pool = [...seeds]
  const endMs = Date.now() + timeMs
  let slowestMs = 0
  let accepted = 0
  const result = (done: number, input?: Buffer, error?: unknown): Fuzzed => ({
    rounds: done, accepted, slowestMs, finding: input === undefined ? undefined : { reader: reader.name, input, error },
  })
  let round = 0
  for (; round < rounds && (round < seeds.length || Date.now() < endMs); round += 1) {
    const input = seeds[round] ?? mutate(source.of(pool), { random: source, others: pool })
    const before = process.cpuUsage()
    try {
      // The reader's own copy, whose neighbours in memory are not its business.
      await reader.read(Buffer.from(new Uint8Array(input).buffer))
      accepted += 1
      if (round >= seeds.length && pool.length < 400 && input.byteLength < 8192) pool.push(input)
    } catch (error) {
      if (round < seeds.length || !(reader.refuses ?? isRktError)(error)) return result(round, input, error)
    }
    const { user, system } = process.cpuUsage(before)
    slowestMs = Math.max(slowestMs, (user + system) / 1000)
    if (slowestMs > maxCpuMs) return result(round, input, new Error(`${slowestMs.toFixed()} ms of processor time`))
  }
  return result(round)
}
