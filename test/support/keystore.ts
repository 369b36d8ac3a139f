import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openKeystore, readPublicKeys, type ConfigDirs, type Keystore, type TrustScope } from '../../src/trust/index.ts'

/** A keystore in a directory of its own; ends with its scope. */
export interface TestKeystore extends Disposable {
  readonly dirs: ConfigDirs
  readonly keystore: Keystore
  /** Stores every key of a file in the local directory; gives the paths. */
  trust(scope: TrustScope, keyFile: Uint8Array): string[]
}

export function openTestKeystore(): TestKeystore {
  const root = mkdtempSync(join(tmpdir(), 'rkt-keys-'))
  const dirs = { system: join(root, 'system'), local: join(root, 'local') }
  const keystore = openKeystore(dirs)
  return {
    dirs,
    keystore,
    trust: (scope, keyFile) => readPublicKeys(keyFile, 'the test key').map((key) => keystore.add(scope, key)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
