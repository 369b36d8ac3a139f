import test from 'ava'
import { existsSync } from 'node:fs'
import { parseACIdentifier } from '../../../src/spec/index.ts'
import { groupFingerprint, prepareTrust } from '../../../src/trust/index.ts'
import { openGpg } from '../../support/gpg.ts'
import { openTestKeystore } from '../../support/keystore.ts'

const scope = { kind: 'prefix', prefix: parseACIdentifier('example.com/app') } as const
const what = 'the test key'

test('groupFingerprint() makes groups of four with a double blank in the middle', (t) => {
  t.is(groupFingerprint('8b86de38890ddb7291867b025210bd8888182190'), '8B86 DE38 890D DB72 9186  7B02 5210 BD88 8818 2190')
})

test('prepareTrust() shows fingerprint, subkeys and identities, and stores nothing before commit()', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  const subkey = gpg.addSubkey(key, {})
  gpg.run(['--quick-add-uid', key, 'Second <second@example.com>'])
  const prepared = await prepareTrust({ bytes: gpg.exportKey(key), scope, keystore: keys.keystore, what, now: new Date() })
  const lines = prepared.reviewText.split('\n')
  t.deepEqual(lines.slice(0, 2), [`gpg key fingerprint is: ${groupFingerprint(key)}`, `    Subkey fingerprint: ${groupFingerprint(subkey)}`])
  t.deepEqual(lines.slice(2).sort(), ['', '\tRelease <release@example.com>', '\tSecond <second@example.com>'])
  t.deepEqual(prepared.keys[0]?.warnings, [])
  t.deepEqual(keys.keystore.allKeys(), [])
  const [stored] = prepared.commit()
  t.is(stored?.path, `${keys.dirs.local}/trustedkeys/prefix.d/example.com/app/${key}`)
  t.true(existsSync(stored?.path ?? ''))
})

test('prepareTrust() shows and stores every key of a file', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const one = gpg.generateKey({ userID: 'One <one@example.com>' })
  const two = gpg.generateKey({ userID: 'Two <two@example.com>', algorithm: 'rsa2048' })
  const bytes = gpg.run(['--armor', '--export', one, two])
  const prepared = await prepareTrust({ bytes, scope: { kind: 'root' }, keystore: keys.keystore, what, now: new Date() })
  t.deepEqual(prepared.reviewText.match(/gpg key fingerprint is: .*/g), [one, two].map((key) => `gpg key fingerprint is: ${groupFingerprint(key)}`))
  prepared.commit()
  t.deepEqual(keys.keystore.allKeys().map(({ fingerprint }) => fingerprint).sort(), [one, two].sort())
})

test('an identity cannot draw on the terminal', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Evil \u202e\u001b[2J <evil@example.com>', extra: ['--allow-freeform-uid', '--utf8-strings'] })
  const { reviewText } = await prepareTrust({ bytes: gpg.exportKey(key), scope, keystore: keys.keystore, what, now: new Date() })
  t.notRegex(reviewText, /[\u202e\u001b]/)
  t.regex(reviewText, /\tEvil \\u\{202e\}\\u\{1b\}\[2J/)
})

test('a revoked or expired key is stored with a warning; a weak one is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const revoked = gpg.generateKey({ userID: 'Revoked <revoked@example.com>' })
  gpg.revoke(revoked, { reason: 1 })
  const expired = gpg.generateKey({ userID: 'Expired <expired@example.com>', time: '20200101T000000', expire: '1y' })
  const weak = gpg.generateKey({ userID: 'Weak <weak@example.com>', algorithm: 'rsa1024' })
  const now = new Date()
  const described = async (key: string): Promise<readonly string[]> =>
    (await prepareTrust({ bytes: gpg.exportKey(key), scope, keystore: keys.keystore, what, now })).keys.flatMap(({ warnings }) => warnings)
  t.regex((await described(revoked)).join(), /the key is revoked \(compromised\)/)
  t.regex((await described(expired)).join(), /expired/)
  await t.throwsAsync(() => described(weak), { code: 'key-invalid', message: /1024 bits/ })
})

test('a damaged key is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  const binary = gpg.exportKey(key, { binary: true })
  for (let length = 0; length < binary.length; length += 7) {
    await t.throwsAsync(() => prepareTrust({ bytes: binary.subarray(0, length), scope, keystore: keys.keystore, what, now: new Date() }), { code: 'key-invalid' })
  }
})
