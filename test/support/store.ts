import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { isRktError, type Log } from '../../src/base/index.ts'
import { parseACIdentifier } from '../../src/spec/index.ts'
import { requireAci } from '../../src/store/blob.ts'
import { acquireImage, openStore, type AcquireOptions, type Store } from '../../src/store/index.ts'
import type { AciRecord } from '../../src/store/record.ts'
import { makeAci, type AciOptions } from './aci.ts'
import { openGpg, type Gpg } from './gpg.ts'
import { openTestKeystore, type TestKeystore } from './keystore.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temp.ts'

/** A store of its own with a key that is trusted for `example.com`; ends with its scope. */
export interface TestStore extends Disposable {
  readonly place: TemporaryDirectory
  readonly dataDir: string
  readonly store: Store
  readonly keys: TestKeystore
  readonly gpg: Gpg
  /** Fingerprint of the trusted key. */
  readonly key: string
  /** What was logged, one line each. */
  readonly lines: string[]
  /** Copies an image to `NAME.aci` with a good signature beside it; gives its path. */
  signedAci(name: string, options?: AciOptions): string
  acquire(text: string, options?: Partial<AcquireOptions>): Promise<AciRecord>
  /** The line of the refusal, `CODE: MESSAGE`; throws when there is none. */
  refusal(text: string, options?: Partial<AcquireOptions>): Promise<string>
}

export function openTestStore(): TestStore {
  const place = temporaryDirectory()
  const gpg = openGpg()
  const keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Signer <signer@example.com>' })
  keys.trust({ kind: 'prefix', prefix: parseACIdentifier('example.com') }, gpg.exportKey(key))
  const lines: string[] = []
  const log = collectingLog(lines)
  const dataDir = place.in('data')
  const store = openStore(dataDir, { create: true, log })
  const acquire: TestStore['acquire'] = async (text, options = {}) =>
    requireAci(await acquireImage(text, {
      store,
      keystore: keys.keystore,
      cwd: place.path,
      pullPolicy: 'new',
      insecure: { image: false, tls: false, http: false },
      now: new Date(),
      signal: new AbortController().signal,
      log,
      ...options,
    }))
  return {
    place,
    dataDir,
    store,
    keys,
    gpg,
    key,
    lines,
    signedAci: (name, options) => {
      const path = place.in(`${name}.aci`)
      copyFileSync(makeAci(options), path)
      writeFileSync(`${path}.asc`, gpg.sign(readFileSync(path), { key }))
      return path
    },
    acquire,
    refusal: (text, options) => refusalOf(() => acquire(text, options)),
    [Symbol.dispose]: () => {
      gpg[Symbol.dispose]()
      keys[Symbol.dispose]()
      place[Symbol.dispose]()
    },
  }
}

/** `CODE: MESSAGE` of the failure that `action` must end with; anything else is thrown on. */
export async function refusalOf(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (error) {
    if (!isRktError(error)) throw error
    if (error.message.includes('\n')) throw new Error('a message has one line', { cause: error })
    return `${error.code}: ${error.message}`
  }
  throw new Error('nothing was refused')
}

function collectingLog(lines: string[]): Log {
  return {
    info: (message) => void lines.push(message),
    warn: (message) => void lines.push(message),
    debug: (source, message) => void lines.push(`${source}: ${message}`),
    notice: (source, message) => void lines.push(`${source}: ${message}`),
  }
}
