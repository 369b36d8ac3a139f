import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { makeAci, type AciOptions } from './aci.ts'
import { openGpg, type Gpg } from './gpg.ts'
import { rkt, type RunOptions, type RunResult } from './run.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temp.ts'

/** The built command with a data directory of its own, and images that are signed; ends with its scope. */
export interface SignedScene extends Disposable {
  readonly place: TemporaryDirectory
  readonly gpg: Gpg
  /** Fingerprint of the key that is trusted for `example.com`. */
  readonly key: string
  /** Runs the command; nothing is waived. */
  rkt(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Stores a key as trusted for a prefix. */
  trust(prefix: string, key: string): Promise<void>
  /** Makes `NAME.aci` and its signature, by the trusted key unless another one is named; gives the path. */
  image(name: string, options?: AciOptions, key?: string): string
}

/** Opens a scene with one trusted key. */
export async function openSignedScene(): Promise<SignedScene> {
  const place = temporaryDirectory()
  const gpg = openGpg()
  const call: SignedScene['rkt'] = (args, options = {}) => rkt(args, { dir: place.in('data'), ...options })
  const trust: SignedScene['trust'] = async (prefix, key) => {
    writeFileSync(place.in('key.asc'), gpg.exportKey(key))
    const { code, stderr } = await call(['trust', '--skip-fingerprint-review', `--prefix=${prefix}`, place.in('key.asc')])
    if (code !== 0) throw new Error(stderr)
  }
  const key = gpg.generateKey({ userID: 'Signer <signer@example.com>' })
  await trust('example.com', key)
  return {
    place,
    gpg,
    key,
    rkt: call,
    trust,
    image: (name, options, signer = key) => {
      const path = place.in(`${name}.aci`)
      copyFileSync(makeAci(options), path)
      writeFileSync(`${path}.asc`, gpg.sign(readFileSync(path), { key: signer }))
      return path
    },
    [Symbol.dispose]: () => {
      gpg[Symbol.dispose]()
      place[Symbol.dispose]()
    },
  }
}
