import test from 'ava'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { parseACIdentifier } from '../../../src/spec/index.ts'
import { authorize, checkSignature, judgeVerdict, parseVerdict, waive, type Verdict } from '../../../src/trust/index.ts'
import { openGpg } from '../../support/gpg.ts'
import { openTestKeystore } from '../../support/keystore.ts'
import { receivedBlob } from '../../support/received.ts'

const name = parseACIdentifier('example.com/app')
const scope = { kind: 'prefix', prefix: name } as const
const insecure = { image: false }
const data = randomBytes(1000)

test('a verdict stands until a key, a mask or the time changes', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const { keystore } = keys
  const now = new Date('2024-01-01T00:00:00Z')
  const key = gpg.generateKey({ userID: 'Release <release@example.com>', time: '20230601T000000', expire: '1y' })
  keys.trust(scope, gpg.exportKey(key))
  const checked = await checkSignature(receivedBlob(data), gpg.sign(data, { key, time: '20230701T000000' }), keystore, { now })
  const { verdict } = authorize(checked, { name, nameSource: 'self-declared', keystore, now })
  if (verdict.kind !== 'signed') return t.fail()
  t.is(verdict.signedAt, '2023-07-01T00:00:00.000Z')
  t.is(verdict.expiresAt, '2024-05-31T00:00:00.000Z')
  t.is(verdict.nameSource, 'self-declared')
  t.deepEqual(verdict.scope, scope)
  t.deepEqual(parseVerdict(JSON.parse(JSON.stringify(verdict))), verdict)

  t.is(judgeVerdict(verdict, { name, keystore, now, insecure }), 'ok')
  t.is(judgeVerdict(verdict, { name, keystore, now: new Date('2024-05-31T00:00:00Z'), insecure }), 'reverify')
  t.is(judgeVerdict(verdict, { name, keystore, now: new Date('2023-01-01T00:00:00Z'), insecure }), 'reverify')
  t.is(judgeVerdict(verdict, { name: parseACIdentifier('example.com/app/other'), keystore, now, insecure }), 'reverify')
  const path = keystore.mask(scope, key)
  t.is(judgeVerdict(verdict, { name, keystore, now, insecure }), 'reverify')
  keys.trust(scope, gpg.exportKey(key))
  t.is(judgeVerdict(verdict, { name, keystore, now, insecure }), 'ok')
  keys.trust({ kind: 'prefix', prefix: parseACIdentifier('elsewhere.org') }, gpg.exportKey(key))
  t.is(judgeVerdict(verdict, { name, keystore, now, insecure }), 'ok')
  chmodSync(path, 0o666)
  t.throws(() => judgeVerdict(verdict, { name, keystore, now, insecure }), { code: 'key-invalid' })
  return undefined
})

test('authorize() says when the key is masked for the name, and gives the command for another prefix', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  const [path] = keys.trust({ kind: 'root' }, gpg.exportKey(key))
  const signature = gpg.sign(data, { key })
  const now = new Date()
  const checked = await checkSignature(receivedBlob(data), signature, keys.keystore, { now })
  keys.keystore.mask(scope, key)
  const options = { name, nameSource: 'requested', keystore: keys.keystore, now } as const
  const error = t.throws(() => authorize(checked, options), { code: 'key-untrusted', message: /masked/ })
  t.true(error instanceof Error && 'hint' in error && String(error.hint).includes(`rkt trust --prefix=example.com/app ${path}`))
})

test('a key that is replaced between check and authorization does not count', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  keys.trust(scope, gpg.exportKey(key))
  const signature = gpg.sign(data, { key })
  const now = new Date()
  const checked = await checkSignature(receivedBlob(data), signature, keys.keystore, { now })
  gpg.revoke(key, { reason: 1 })
  keys.trust(scope, gpg.exportKey(key))
  t.throws(() => authorize(checked, { name, nameSource: 'requested', keystore: keys.keystore, now }), { code: 'key-untrusted' })
})

test('a waived blob gets a waived verdict, which counts only with the option', (t) => {
  using keys = openTestKeystore()
  const now = new Date()
  const waived = waive(receivedBlob(data), { reason: '--insecure-options=image', now })
  const { verdict } = authorize(waived, { name, nameSource: 'self-declared', keystore: keys.keystore, now })
  t.deepEqual(verdict, { kind: 'waived', reason: '--insecure-options=image', at: now.toISOString() })
  t.deepEqual(parseVerdict(JSON.parse(JSON.stringify(verdict))), verdict)
  t.throws(() => judgeVerdict(verdict, { name, keystore: keys.keystore, now, insecure }), { code: 'signature-missing' })
  t.is(judgeVerdict(verdict, { name, keystore: keys.keystore, now, insecure: { image: true } }), 'ok')
})

test('parseVerdict() refuses every damaged field', (t) => {
  const good = {
    kind: 'signed',
    signatureKind: 'openpgp',
    fingerprint: 'a'.repeat(40),
    keyFingerprint: 'b'.repeat(40),
    signerIdentities: ['x'],
    scope: { kind: 'prefix', prefix: 'example.com' },
    keyPath: '/etc/rkt/trustedkeys/root.d/x',
    signedAt: '2024-01-01T00:00:00.000Z',
    nameSource: 'requested',
    judgedAt: '2024-01-01T00:00:00.000Z',
    trustState: 'sha256:0',
  }
  t.is(parseVerdict(good).kind, 'signed')
  for (const field of Object.keys(good)) {
    t.throws(() => parseVerdict({ ...good, [field]: 7 }), { code: 'corrupted' }, field)
    t.throws(() => parseVerdict({ ...good, [field]: undefined }), { code: 'corrupted' }, field)
  }
  for (const bad of [null, 7, 'signed', [], {}, { ...good, expiresAt: 'never' }, { ...good, scope: { kind: 'prefix', prefix: '../x' } }, { kind: 'waived', reason: 'because', at: good.signedAt }]) {
    t.throws(() => parseVerdict(bad), { code: 'corrupted' })
  }
})

test('judgeVerdict() takes at most 3 ms with fifty keys, and does not load the OpenPGP library', (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  for (let count = 0; count < 10; count += 1) {
    const key = gpg.generateKey({ userID: `Release ${count} <release@example.com>` })
    for (const prefix of ['example.com', 'example.com/a', 'example.com/a/b', 'example.com/a/b/c']) keys.trust({ kind: 'prefix', prefix: parseACIdentifier(prefix) }, gpg.exportKey(key))
    keys.trust({ kind: 'root' }, gpg.exportKey(key))
  }
  const deep = parseACIdentifier('example.com/a/b/c')
  const now = new Date()
  const verdict: Verdict = {
    kind: 'signed',
    signatureKind: 'openpgp',
    fingerprint: '',
    keyFingerprint: '',
    signerIdentities: [],
    scope,
    keyPath: '',
    signedAt: now.toISOString(),
    nameSource: 'requested',
    judgedAt: now.toISOString(),
    trustState: keys.keystore.stateFor(deep),
  }
  // Processor time: other work on the machine must not decide.
  const times: number[] = []
  for (let round = 0; round < 50; round += 1) {
    const start = process.cpuUsage()
    t.is(judgeVerdict(verdict, { name: deep, keystore: keys.keystore, now, insecure }), 'ok')
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / 1000)
  }
  const median = times.sort((a, b) => a - b)[25] ?? Infinity
  t.true(median <= 3, `${median} ms`)

  const room = new URL('../../../src/trust/index.js', import.meta.url).href
  const hook = `export const resolve = (name, context, next) => { if (name === 'openpgp') throw new Error('not now'); return next(name, context) }`
  const program = `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(process.argv[2]))
    const { judgeVerdict, openKeystore } = await import(${JSON.stringify(room)})
    const { dirs, verdict, name, now } = JSON.parse(process.argv[1])
    const loads = await import('openpgp').then(() => 'loads', () => 'refused')
    console.log(loads, judgeVerdict(verdict, { name, keystore: openKeystore(dirs), now: new Date(now), insecure: { image: false } }))`
  const input = JSON.stringify({ dirs: keys.dirs, verdict, name: deep, now })
  t.is(execFileSync(process.execPath, ['--input-type=module', '-e', program, '--', input, hook]).toString(), 'refused ok\n')
})
