import { existsSync, readdirSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { makeAci, type AciOptions } from '../support/aci.ts'
import { rkt, type RunOptions, type RunResult } from '../support/run.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../support/temp.ts'

/** A data directory of its own with an image in it; ends with its scope. */
export interface Scene extends Disposable {
  readonly place: TemporaryDirectory
  /** Whole ID of the image. */
  readonly image: string
  /** Runs the command on this data directory, without asking for signatures. */
  rkt(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** `rkt run --net=none IMAGE` with further words. */
  run(words: readonly string[], options?: RunOptions): Promise<RunResult>
  /** UUIDs of all pods in all stages. */
  pods(): readonly string[]
}

/** Fetches an image made to order. */
export async function openScene(t: ExecutionContext, options: AciOptions = {}): Promise<Scene> {
  const place = temporaryDirectory()
  const call = (args: readonly string[], more: RunOptions = {}): Promise<RunResult> =>
    rkt(['--insecure-options=image', ...args], { dir: place.in('data'), ...more })
  const fetched = await call(['fetch', '--full', makeAci(options)])
  t.is(fetched.code, 0, fetched.stderr)
  const image = fetched.stdout.trim()
  return {
    place,
    image,
    rkt: call,
    run: (words, more) => call(['run', '--net=none', image, ...words], more),
    pods: () => {
      const directory = place.in('data', 'pods')
      return existsSync(directory) ? readdirSync(directory).flatMap((stage) => readdirSync(place.in('data', 'pods', stage))) : []
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  }
}

/** Words that run a line of shell in the scene's image. */
export function shell(line: string): readonly string[] {
  return ['--exec=/bin/sh', '--', '-c', line]
}
