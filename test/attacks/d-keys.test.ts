import test from 'ava'
import { randomBytes } from 'node:crypto'
import { enums } from 'openpgp'
import { craftKey, signWithSubkey, withBinding, withForeignSubkey, withoutBinding } from '../support/crafted-key.ts'
import { openGpg, type Gpg } from '../support/gpg.ts'
import { openTestKeystore, type TestKeystore } from '../support/keystore.ts'
import { outcomeOf } from '../support/trust-outcome.ts'
import { parseACIdentifier } from '../../src/spec/index.ts'
import { packetTag, readPackets } from '../../src/trust/packets.ts'

const data = randomBytes(4096)
const name = parseACIdentifier('example.com/app')
const userID = 'Release <release@example.com>'

/** 2020-03-01, when the keys of these tests are made. */
const made = '20200301T000000'
const now = new Date('2024-01-01T00:00:00Z')

function trust(keys: TestKeystore, gpg: Gpg, key: string): void {
  keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
}

test('D6: a key that expired before it signed is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, time: made, expire: '3y' })
  const signature = gpg.sign(data, { key, time: '20220101T000000' })
  gpg.run(['--faked-system-time', '20200302T000000!', '--quick-set-expire', key, '1y'])
  trust(keys, gpg, key)
  t.regex(await outcomeOf({ keys, data, signature, now }), /^key-expired: .*made after the key expired on 2021-03-02/)
})

test('D6: a key that expired after it signed is refused, and accepted once it is renewed', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, time: made, expire: '1y' })
  const signature = gpg.sign(data, { key, time: '20200401T000000' })
  trust(keys, gpg, key)
  t.is(await outcomeOf({ keys, data, signature, now: new Date('2020-05-01T00:00:00Z') }), 'accepted')
  t.regex(await outcomeOf({ keys, data, signature, now }), /^key-expired: .*the key expired on 2021-03-01/)
  gpg.run(['--faked-system-time', '20210501T000000!', '--quick-set-expire', key, '9y'])
  trust(keys, gpg, key)
  t.is(await outcomeOf({ keys, data, signature, now }), 'accepted')
})

for (const { reason, text } of [
  { reason: 0, text: 'for no reason' },
  { reason: 1, text: 'as compromised' },
] as const) {
  test(`D6: a key revoked ${text} is refused, also for what it signed before`, async (t) => {
    using gpg = openGpg()
    using keys = openTestKeystore()
    const key = gpg.generateKey({ userID, time: made })
    const signature = gpg.sign(data, { key, time: '20200401T000000' })
    trust(keys, gpg, key)
    t.is(await outcomeOf({ keys, data, signature, now }), 'accepted')
    gpg.revoke(key, { reason, time: '20230101T000000' })
    trust(keys, gpg, key)
    t.regex(await outcomeOf({ keys, data, signature, now }), /^key-revoked: .*the key is revoked/)
  })
}

for (const { reason, text } of [
  { reason: 2, text: 'superseded' },
  { reason: 3, text: 'no longer used' },
] as const) {
  test(`D6: of a key revoked as ${text}, only what it signed before is accepted`, async (t) => {
    using gpg = openGpg()
    using keys = openTestKeystore()
    const key = gpg.generateKey({ userID, time: made })
    const before = gpg.sign(data, { key, time: '20200401T000000' })
    const after = gpg.sign(data, { key, time: '20220401T000000' })
    gpg.revoke(key, { reason, time: '20210101T000000' })
    trust(keys, gpg, key)
    t.is(await outcomeOf({ keys, data, signature: before, now }), 'accepted')
    t.regex(await outcomeOf({ keys, data, signature: after, now }), /^key-revoked: .*after the key was retired/)
  })
}

test('D6: a revocation counts even when it is made with a weak hash', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, algorithm: 'rsa2048', time: made })
  const signature = gpg.sign(data, { key, time: '20200401T000000' })
  gpg.revoke(key, { reason: 1, time: '20210101T000000', extra: ['--cert-digest-algo', 'SHA1'] })
  t.regex(gpg.run(['--list-packets'], { input: gpg.exportKey(key) }).toString(), /sigclass 0x20\n\s*digest algo 2,/)
  trust(keys, gpg, key)
  t.regex(await outcomeOf({ keys, data, signature, now }), /^key-revoked/)
})

test('D6: signatures dated in the future or before their key are refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, time: made })
  trust(keys, gpg, key)
  const future = gpg.sign(data, { key, time: '20240101T000001' })
  t.regex(await outcomeOf({ keys, data, signature: future, now }), /^signature-invalid: .*dated in the future/)
  t.is(await outcomeOf({ keys, data, signature: future, now: new Date('2024-01-01T00:00:01Z') }), 'accepted')
  const early = gpg.sign(data, { key, time: '20200201T000000', extra: ['--ignore-time-conflict', '--ignore-valid-from'] })
  t.regex(await outcomeOf({ keys, data, signature: early, now }), /^key-invalid: .*older than the key/)
})

test('D6: an expired signature is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, time: made })
  trust(keys, gpg, key)
  const signature = gpg.sign(data, { key, time: '20231201T000000', extra: ['--default-sig-expire', '10d'] })
  t.is(await outcomeOf({ keys, data, signature, now: new Date('2023-12-10T00:00:00Z') }), 'accepted')
  t.regex(await outcomeOf({ keys, data, signature, now }), /^signature-invalid: .*signature expired on 2023-12-11/)
})

test('D6: a critical notation is refused, any other one is not', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID })
  trust(keys, gpg, key)
  const critical = gpg.sign(data, { key, extra: ['--sig-notation', '!expires@example.com=2020-01-01'] })
  t.regex(await outcomeOf({ keys, data, signature: critical }), /^signature-invalid: .*critical notation "expires@example\.com"/)
  const plain = gpg.sign(data, { key, extra: ['--sig-notation', 'build@example.com=7'] })
  t.is(await outcomeOf({ keys, data, signature: plain }), 'accepted')
})

test('D6: a revocation by the revoker that a key names counts, one by a stranger does not', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, time: made })
  const revoker = gpg.generateKey({ userID: 'Revoker <revoker@example.com>', time: made })
  const signature = gpg.sign(data, { key, time: '20200401T000000' })
  gpg.talk(['--edit-key', key], ['addrevoker', revoker, 'y', 'save'])
  trust(keys, gpg, key)
  t.is(await outcomeOf({ keys, data, signature, now: new Date() }), 'accepted')
  const certificate = gpg.talk(['--output', '-', '--desig-revoke', key], ['y', '1', '', 'y'])
  gpg.run(['--import'], { input: certificate })
  trust(keys, gpg, key)
  t.regex(await outcomeOf({ keys, data, signature, now: new Date() }), /^key-revoked: .*another key/)
  const directKeySignature = 0x1f
  const packets = readPackets(gpg.exportKey(key, { binary: true }), { what: 'the test key', code: 'key-invalid', maxPackets: 20 })
  const unnamed = packets.filter(({ tag, body }) => tag !== packetTag.signature || body[1] !== directKeySignature)
  t.is(unnamed.length, packets.length - 1)
  keys.trust({ kind: 'prefix', prefix: name }, Buffer.concat(unnamed.map(({ whole }) => whole)))
  t.is(await outcomeOf({ keys, data, signature, now: new Date() }), 'accepted')
})

test('D6: a key whose only identity is revoked is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID })
  const signature = gpg.sign(data, { key })
  // gpg does not revoke the last identity, so there is another one that is then left out.
  gpg.run(['--quick-add-uid', key, 'Other <other@example.com>'])
  gpg.run(['--quick-revoke-uid', key, userID])
  trust(keys, gpg, key)
  t.is(await outcomeOf({ keys, data, signature }), 'accepted')
  keys.trust({ kind: 'prefix', prefix: name }, gpg.run(['--export-filter', 'keep-uid=mbox = release@example.com', '--export', key]))
  t.regex(await outcomeOf({ keys, data, signature }), /^key-invalid: .*no valid self-signature/)
})

test('D6: a subkey is judged by its own validity', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, usage: 'cert', time: made })
  const short = gpg.addSubkey(key, { time: made, expire: '1y' })
  const long = gpg.addSubkey(key, { time: '20200601T000000' })
  const byShort = gpg.sign(data, { key: `${short}!`, time: '20200701T000000' })
  const byLong = gpg.sign(data, { key: `${long}!`, time: '20200701T000000' })
  trust(keys, gpg, key)
  t.is(await outcomeOf({ keys, data, signature: byLong, now }), 'accepted')
  t.is(await outcomeOf({ keys, data, signature: byShort, now: new Date('2020-08-01T00:00:00Z') }), 'accepted')
  t.regex(await outcomeOf({ keys, data, signature: byShort, now }), /^key-expired/)
  const early = gpg.sign(data, { key: `${long}!`, time: '20200501T000000', extra: ['--ignore-time-conflict', '--ignore-valid-from'] })
  t.regex(await outcomeOf({ keys, data, signature: early, now }), /^key-invalid: .*older than the key/)
  gpg.revokeSubkey(key, { index: 1, reason: 1, time: '20230101T000000' })
  gpg.revokeSubkey(key, { index: 2, reason: 3, time: '20230101T000000' })
  trust(keys, gpg, key)
  t.regex(await outcomeOf({ keys, data, signature: byShort, now }), /^key-revoked/)
  t.is(await outcomeOf({ keys, data, signature: byLong, now }), 'accepted')
})

const signing = enums.keyFlags.signData
const encrypting = enums.keyFlags.encryptCommunication | enums.keyFlags.encryptStorage

test('D8: a signing subkey that is bound both ways is accepted, made by gpg or by another program', async (t) => {
  using keys = openTestKeystore()
  const mine = await craftKey('Release')
  const signature = await signWithSubkey(mine, data)
  keys.trust({ kind: 'prefix', prefix: name }, Buffer.from(mine.key.toPublic().armor()))
  t.is(await outcomeOf({ keys, data, signature }), 'accepted')
  const back = mine.subkey.bindingSignatures[0]?.embeddedSignature ?? null
  keys.trust({ kind: 'prefix', prefix: name }, await withBinding(mine, mine, { keyFlags: signing, back }))
  t.is(await outcomeOf({ keys, data, signature }), 'accepted')
})

test('D8: a subkey without binding, or bound by another key, is refused', async (t) => {
  using keys = openTestKeystore()
  const mine = await craftKey('Release')
  const other = await craftKey('Other')
  keys.trust({ kind: 'prefix', prefix: name }, withoutBinding(mine))
  t.regex(await outcomeOf({ keys, data, signature: await signWithSubkey(mine, data) }), /^key-invalid: .*not bound/)
  keys.trust({ kind: 'prefix', prefix: name }, withForeignSubkey(mine, other))
  t.regex(await outcomeOf({ keys, data, signature: await signWithSubkey(other, data) }), /^key-invalid: .*not bound/)
})

test('D8: a signing subkey without its back-signature is refused, also when another key adopts it', async (t) => {
  using keys = openTestKeystore()
  const mine = await craftKey('Release')
  const thief = await craftKey('Thief')
  const signature = await signWithSubkey(mine, data)
  keys.trust({ kind: 'prefix', prefix: name }, await withBinding(mine, mine, { keyFlags: signing }))
  t.regex(await outcomeOf({ keys, data, signature }), /^key-invalid: .*no back-signature/)
  keys.trust({ kind: 'prefix', prefix: name }, withoutBinding(mine))
  using thiefKeys = openTestKeystore()
  const back = mine.subkey.bindingSignatures[0]?.embeddedSignature ?? null
  for (const stolen of [null, back]) {
    thiefKeys.trust({ kind: 'prefix', prefix: name }, await withBinding(thief, mine, { keyFlags: signing, back: stolen }))
    t.regex(await outcomeOf({ keys: thiefKeys, data, signature }), /^key-invalid: .*no back-signature/)
  }
})

test('D8: a subkey that is meant for encryption only is refused', async (t) => {
  using keys = openTestKeystore()
  const mine = await craftKey('Release')
  const signature = await signWithSubkey(mine, data)
  const back = mine.subkey.bindingSignatures[0]?.embeddedSignature ?? null
  keys.trust({ kind: 'prefix', prefix: name }, await withBinding(mine, mine, { keyFlags: encrypting, back }))
  t.regex(await outcomeOf({ keys, data, signature }), /^key-invalid: .*not meant for signing/)
  keys.trust({ kind: 'prefix', prefix: name }, await withBinding(mine, mine, { keyFlags: undefined, back }))
  t.regex(await outcomeOf({ keys, data, signature }), /^key-invalid: .*not meant for signing/)
})

test('D8: a primary key that is no longer meant for signing is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID })
  const signature = gpg.sign(data, { key })
  trust(keys, gpg, key)
  t.is(await outcomeOf({ keys, data, signature }), 'accepted')
  gpg.talk(['--edit-key', key], ['change-usage', 'S', 'Q', 'save'])
  trust(keys, gpg, key)
  t.regex(await outcomeOf({ keys, data, signature }), /^key-invalid: .*not meant for signing/)
})
