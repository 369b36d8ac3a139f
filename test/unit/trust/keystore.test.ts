import test from 'ava'
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseACIdentifier, type ACIdentifier } from '../../../src/spec/index.ts'
import { readPublicKeys, type TrustScope } from '../../../src/trust/index.ts'
import { openGpg } from '../../support/gpg.ts'
import { packetOf } from '../../support/signature-surgery.ts'
import { openTestKeystore, type TestKeystore } from '../../support/keystore.ts'

const name = parseACIdentifier('example.com/team/app')
const prefix = (text: string): TrustScope => ({ kind: 'prefix', prefix: parseACIdentifier(text) })
const root: TrustScope = { kind: 'root' }

const gpg = openGpg()
test.after.always(() => gpg[Symbol.dispose]())

const fingerprint = gpg.generateKey({ userID: 'One <one@example.com>' })
const second = gpg.generateKey({ userID: 'Two <two@example.com>' })
const keyFile = gpg.exportKey(fingerprint)
const secondFile = gpg.exportKey(second)

function put(path: string, content: string | Uint8Array): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

function scopesFor(keys: TestKeystore, image: ACIdentifier): string[] {
  return keys.keystore.keysFor(image).map(({ scope }) => (scope.kind === 'root' ? '/' : scope.prefix))
}

test('a keystore without directories has no keys', (t) => {
  using keys = openTestKeystore()
  t.deepEqual(keys.keystore.keysFor(name), [])
  t.deepEqual(keys.keystore.allKeys(), [])
})

test('add() writes an armoured key under its fingerprint, readable for all and writable for root alone', (t) => {
  using keys = openTestKeystore()
  const path = join(keys.dirs.local, 'trustedkeys/prefix.d/example.com/team', fingerprint)
  t.deepEqual(keys.trust(prefix('example.com/team'), gpg.exportKey(fingerprint, { binary: true })), [path])
  t.is(statSync(path).mode & 0o7777, 0o644)
  t.is(statSync(dirname(path)).mode & 0o7777, 0o755)
  t.regex(readFileSync(path, 'utf8'), /^-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n/)
  const [key] = keys.keystore.keysFor(name)
  t.is(key?.fingerprint, fingerprint)
  t.is(key?.path, path)
  t.deepEqual(Buffer.from(key?.bytes ?? []), gpg.exportKey(fingerprint, { binary: true }))
  t.regex(gpg.run(['--show-keys'], { input: readFileSync(path) }).toString().toLowerCase(), new RegExp(fingerprint))
})

test('keysFor() finds root keys and those of every prefix of the name, no others', (t) => {
  for (const [scope, found] of [
    [root, true],
    [prefix('example.com'), true],
    [prefix('example.com/team'), true],
    [prefix('example.com/team/app'), true],
    [prefix('example.com/team/app/part'), false],
    [prefix('example.com/tea'), false],
    [prefix('example.com/team-b'), false],
    [prefix('example.org/team/app'), false],
  ] as const) {
    using keys = openTestKeystore()
    keys.trust(scope, keyFile)
    t.is(keys.keystore.keysFor(name).length, found ? 1 : 0, JSON.stringify(scope))
    t.is(keys.keystore.allKeys().length, 1)
  }
})

test('keysFor() looks in root before prefixes, short prefixes before long ones, system before local; the last one counts', (t) => {
  using keys = openTestKeystore()
  const system = join(keys.dirs.system, 'trustedkeys')
  put(join(system, 'root.d', fingerprint), keyFile)
  t.deepEqual(scopesFor(keys, name), ['/'])
  put(join(system, 'prefix.d/example.com/team', fingerprint), keyFile)
  t.deepEqual(scopesFor(keys, name), ['example.com/team'])
  keys.trust(prefix('example.com'), keyFile)
  t.deepEqual(scopesFor(keys, name), ['example.com'])
  keys.trust(prefix('example.com/team/app'), keyFile)
  t.deepEqual(scopesFor(keys, name), ['example.com/team/app'])
  t.is(keys.keystore.allKeys().length, 4)
})

test('an empty local file masks a system key, for this prefix and what lies below', (t) => {
  using keys = openTestKeystore()
  const system = join(keys.dirs.system, 'trustedkeys')
  put(join(system, 'root.d', fingerprint), keyFile)
  put(join(system, 'prefix.d/example.com', second), secondFile)
  t.is(keys.keystore.keysFor(name).length, 2)
  keys.keystore.mask(prefix('example.com'), second)
  t.deepEqual(keys.keystore.keysFor(name).map((key) => key.fingerprint), [fingerprint])
  keys.keystore.mask(root, fingerprint)
  t.deepEqual(keys.keystore.keysFor(name), [])
  t.true(keys.keystore.remove(root, fingerprint))
  t.false(keys.keystore.remove(root, fingerprint))
  t.is(keys.keystore.keysFor(name).length, 1)
  keys.trust(prefix('example.com'), secondFile)
  t.is(keys.keystore.keysFor(name).length, 2)
})

test('a local mask of a root key at one prefix leaves the other prefixes alone', (t) => {
  using keys = openTestKeystore()
  put(join(keys.dirs.system, 'trustedkeys/root.d', fingerprint), keyFile)
  keys.keystore.mask(prefix('example.com/team'), fingerprint)
  t.is(keys.keystore.keysFor(name).length, 0)
  t.is(keys.keystore.keysFor(parseACIdentifier('example.com/other')).length, 1)
})

test('stateFor() changes with every key, mask, removal and copy that concerns the name, and with no other', (t) => {
  using keys = openTestKeystore()
  const seen = [keys.keystore.stateFor(name)]
  const changed = (): void => {
    const state = keys.keystore.stateFor(name)
    t.false(seen.includes(state))
    seen.push(state)
  }
  put(join(keys.dirs.system, 'trustedkeys/root.d', fingerprint), keyFile)
  changed()
  keys.trust(prefix('example.com'), keyFile)
  changed()
  keys.keystore.mask(root, fingerprint)
  changed()
  keys.trust(prefix('example.com/team/app'), secondFile)
  changed()
  writeFileSync(join(keys.dirs.local, 'trustedkeys/prefix.d/example.com', fingerprint), `${keyFile.toString()}\n`)
  changed()
  keys.trust(prefix('example.com/team/app/part'), keyFile)
  keys.trust(prefix('example.org'), keyFile)
  t.is(keys.keystore.stateFor(name), seen.at(-1) ?? '')
  t.not(keys.keystore.stateFor(name), keys.keystore.stateFor(parseACIdentifier('example.com/team')))
  keys.keystore.remove(prefix('example.com/team/app'), second)
  changed()
})

test('what others can write, or another user owns, is refused with its path', (t) => {
  if (process.geteuid?.() !== 0) return t.fail('this test needs root')
  const spoil: readonly ((path: string) => void)[] = [(path) => chmodSync(path, 0o775), (path) => chmodSync(path, 0o757), (path) => chownSync(path, 1000, 0)]
  for (const below of ['', 'prefix.d', 'prefix.d/example.com', `prefix.d/example.com/${fingerprint}`]) {
    for (const change of spoil) {
      using keys = openTestKeystore()
      keys.trust(prefix('example.com'), keyFile)
      t.is(keys.keystore.keysFor(name).length, 1)
      const path = join(keys.dirs.local, 'trustedkeys', below)
      change(path)
      for (const read of [(): unknown => keys.keystore.keysFor(name), (): unknown => keys.keystore.stateFor(name), (): unknown => keys.keystore.allKeys()]) {
        const error = t.throws(read, { code: 'key-invalid' })
        t.true(String(error).includes(JSON.stringify(path)), String(error))
      }
      if (!below.endsWith(fingerprint)) t.throws(() => keys.trust(prefix('example.com'), secondFile), { code: 'key-invalid' })
    }
  }
  return undefined
})

test('symbolic links are refused, to files and to directories', (t) => {
  using keys = openTestKeystore()
  const elsewhere = put(join(keys.dirs.system, 'elsewhere', fingerprint), keyFile)
  const directory = join(keys.dirs.local, 'trustedkeys/prefix.d')
  mkdirSync(join(directory, 'example.com'), { recursive: true })
  symlinkSync(elsewhere, join(directory, 'example.com', fingerprint))
  t.throws(() => keys.keystore.keysFor(name), { code: 'key-invalid', message: /symbolic link/ })
  rmSync(join(directory, 'example.com'), { recursive: true })
  symlinkSync(dirname(elsewhere), join(directory, 'example.com'))
  t.throws(() => keys.keystore.keysFor(name), { code: 'key-invalid', message: /not a plain directory/ })
  t.throws(() => keys.trust(prefix('example.com'), keyFile), { code: 'key-invalid' })
})

test('a file whose name is not the fingerprint of its one key is refused', (t) => {
  for (const [fileName, content, message] of [
    [second, keyFile, /fingerprint mismatch/],
    ['readme', keyFile, /not a fingerprint/],
    [fingerprint.toUpperCase(), keyFile, /not a fingerprint/],
    ['readme', '', /not a fingerprint/],
    [fingerprint, Buffer.concat([gpg.exportKey(fingerprint, { binary: true }), gpg.exportKey(second, { binary: true })]), /2 keys/],
    [fingerprint, 'x', /armoured/],
    [fingerprint, keyFile.subarray(0, 100), /armoured block|base64/],
  ] as const) {
    using keys = openTestKeystore()
    put(join(keys.dirs.local, 'trustedkeys/root.d', fileName), content)
    t.throws(() => keys.keystore.keysFor(name), { code: 'key-invalid', message })
  }
})

test('what an interrupted write left is skipped', (t) => {
  using keys = openTestKeystore()
  keys.trust(root, keyFile)
  put(join(keys.dirs.local, 'trustedkeys/root.d/.tmp-0123'), 'half')
  t.is(keys.keystore.keysFor(name).length, 1)
})

test('readPublicKeys() refuses secret keys, and more than the limit', (t) => {
  const secret = gpg.run(['--armor', '--export-secret-keys', fingerprint])
  t.throws(() => readPublicKeys(secret, 'the test key'), { code: 'key-invalid' })
  t.throws(() => readPublicKeys(gpg.run(['--export-secret-keys', fingerprint]), 'the test key'), { code: 'key-invalid', message: /secret key/ })
  t.throws(() => readPublicKeys(Buffer.alloc(1_048_577, 0x20), 'the test key'), { code: 'limit-exceeded' })
})

test('readPublicKeys() reads every block of a file and skips the text around them', (t) => {
  const file = Buffer.concat([Buffer.from('pub ed25519\n\n'), keyFile, Buffer.from('\nand the other one\n'), secondFile])
  t.deepEqual(readPublicKeys(file, 'the test key').map((key) => key.fingerprint), [fingerprint, second])
})

test('readPublicKeys() refuses a revocation of the old form, which nobody would check', (t) => {
  const binary = gpg.exportKey(fingerprint, { binary: true })
  const oldSignature = (type: number): Buffer => packetOf(2, Buffer.concat([Buffer.of(3, 5, type), Buffer.alloc(20)]))
  for (const type of [0x20, 0x28]) {
    t.throws(() => readPublicKeys(Buffer.concat([binary, oldSignature(type)]), 'the test key'), { code: 'key-invalid', message: /version 3 signature/ })
  }
  t.is(readPublicKeys(Buffer.concat([binary, oldSignature(0x10)]), 'the test key').length, 1)
})
