import test from 'ava'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { reveal, unverified } from '../../../src/base/index.ts'
import { parseACIdentifier } from '../../../src/spec/index.ts'
import { authorize, checkSignature, judgeVerdict } from '../../../src/trust/index.ts'
import { openGpg } from '../../support/gpg.ts'
import { openTestKeystore } from '../../support/keystore.ts'
import { receivedBlob } from '../../support/received.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { outcomeOf } from '../../support/trust-outcome.ts'

const name = parseACIdentifier('example.com/app')
const scope = { kind: 'prefix', prefix: name } as const
const data = randomBytes(100_000)

// gpg itself refuses a hash that is shorter than the curve.
const algorithms = [
  { algorithm: 'rsa2048', digests: ['SHA256', 'SHA384', 'SHA512'] },
  { algorithm: 'rsa3072', digests: ['SHA256', 'SHA384', 'SHA512'] },
  { algorithm: 'rsa4096', digests: ['SHA256', 'SHA384', 'SHA512'] },
  { algorithm: 'ed25519', digests: ['SHA256', 'SHA384', 'SHA512'] },
  { algorithm: 'nistp256', digests: ['SHA256', 'SHA384', 'SHA512'] },
  { algorithm: 'nistp384', digests: ['SHA384', 'SHA512'] },
  { algorithm: 'nistp521', digests: ['SHA512'] },
] as const

for (const { algorithm, digests } of algorithms) {
  test(`checkSignature() accepts ${algorithm} signatures of gpg, armoured and binary, with ${digests.join(', ')}`, async (t) => {
    using gpg = openGpg()
    using keys = openTestKeystore()
    const key = gpg.generateKey({ userID: 'Release <release@example.com>', algorithm, usage: 'sign' })
    keys.trust(scope, gpg.exportKey(key))
    for (const digest of digests) {
      for (const armor of [true, false]) {
        const signed = await checkSignature(receivedBlob(data), gpg.sign(data, { key, digest, armor }), keys.keystore, { now: new Date() })
        const { verdict } = authorize(signed, { name, nameSource: 'requested', keystore: keys.keystore, now: new Date() })
        if (verdict.kind !== 'signed') return t.fail()
        t.is(verdict.keyFingerprint, key)
        t.is(verdict.fingerprint, key)
        t.deepEqual(verdict.signerIdentities, ['Release <release@example.com>'])
        t.is(judgeVerdict(verdict, { name, keystore: keys.keystore, now: new Date(), insecure: { image: false } }), 'ok')
      }
    }
    t.pass()
  })
}

test('a signature by a subkey names subkey and primary key', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const { keystore } = keys
  const key = gpg.generateKey({ userID: 'Release <release@example.com>', algorithm: 'rsa3072', usage: 'cert' })
  const subkey = gpg.addSubkey(key, { algorithm: 'nistp256/ecdsa' })
  keys.trust(scope, gpg.exportKey(key))
  const signature = gpg.sign(data, { key: `${subkey}!` })
  const now = new Date()
  const signed = await checkSignature(receivedBlob(data), signature, keystore, { now })
  const { verdict } = authorize(signed, { name, nameSource: 'requested', keystore, now })
  t.like(verdict, { kind: 'signed', fingerprint: subkey, keyFingerprint: key })
})

test('a signature whose key is stored nowhere is refused with the issuer and the command to trust it', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  const signature = gpg.sign(data, { key })
  const check = async (): Promise<unknown> => await checkSignature(receivedBlob(data), signature, keys.keystore, { now: new Date(), object: './app.aci', name })
  const error = await t.throwsAsync(check, { code: 'key-untrusted' })
  t.is(error instanceof Error ? error.message : '', `cannot use image "./app.aci": openpgp: signature made by unknown entity; its key ${key} is not stored`)
  t.like(error, { hint: 'trust its key with: rkt trust --prefix=example.com/app KEYFILE; or allow it once with --insecure-options=image' })
})

test('of several signatures one by a trusted key is enough, and none by a stored key may be false', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const mine = gpg.generateKey({ userID: 'Mine <mine@example.com>' })
  const second = gpg.generateKey({ userID: 'Second <second@example.com>' })
  const stranger = gpg.generateKey({ userID: 'Stranger <stranger@example.com>' })
  keys.trust(scope, gpg.exportKey(mine))
  const [byMine, bySecond, byStranger] = [mine, second, stranger].map((key) => gpg.sign(data, { key, armor: false }))
  const falseMine = gpg.sign(randomBytes(10), { key: mine, armor: false })
  const falseSecond = gpg.sign(randomBytes(10), { key: second, armor: false })
  const outcome = async (...signatures: readonly (Buffer | undefined)[]): Promise<string> =>
    (await outcomeOf({ keys, data, signature: Buffer.concat(signatures.map((one) => one ?? Buffer.alloc(0))) })).split(':')[0] ?? ''
  t.is(await outcome(byStranger, byMine), 'accepted')
  t.is(await outcome(byMine, byStranger), 'accepted')
  t.is(await outcome(byStranger), 'key-untrusted')
  t.is(await outcome(byMine, falseMine), 'signature-invalid')
  t.is(await outcome(byMine, falseSecond), 'accepted')
  keys.trust({ kind: 'prefix', prefix: parseACIdentifier('example.org') }, gpg.exportKey(second))
  t.is(await outcome(byMine, falseSecond), 'signature-invalid')
  t.is(await outcome(bySecond), 'key-untrusted')
  t.is(await outcome(bySecond, byMine), 'accepted')
  t.is(await outcome(...Array.from({ length: 16 }, () => byMine)), 'accepted')
  t.is(await outcome(...Array.from({ length: 17 }, () => byMine)), 'limit-exceeded')
})

test('a signature file past its limit, or with something else in it, is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  keys.trust(scope, gpg.exportKey(key))
  const armored = gpg.sign(data, { key })
  const binary = gpg.sign(data, { key, armor: false })
  const outcome = async (...parts: readonly (Uint8Array | string)[]): Promise<string> =>
    await outcomeOf({ keys, data, signature: Buffer.concat(parts.map((part) => Buffer.from(part))) })
  t.is(await outcome(armored, '\n\n'), 'accepted')
  t.is(await outcome(armored.toString().replaceAll('\n', '\r\n')), 'accepted')
  t.is(await outcome(armored.toString().replace('\n\n', '\nComment: made by a robot\n\n')), 'accepted')
  t.is(await outcome(armored.toString().replace(/\n=.{4}\n/, '\n')), 'accepted')
  t.regex(await outcome(armored, 'x'), /^signature-invalid/)
  t.regex(await outcome('x\n', armored), /^signature-invalid/)
  t.regex(await outcome(armored.toString().replace('\n\n', '\n')), /^signature-invalid/)
  t.regex(await outcome(armored.toString().replace(/\n=.{4}\n/, '\n=AAAA\n')), /^signature-invalid: .*checksum/)
  t.regex(await outcome(gpg.exportKey(key)), /^signature-invalid/)
  t.regex(await outcome(binary, gpg.exportKey(key, { binary: true })), /^signature-invalid: .*packet of type 6/)
  t.regex(await outcome(binary, Buffer.of(0xc2, 0xe0, 0)), /^signature-invalid: .*damaged/)
  t.regex(await outcome(binary, Buffer.of(0x8b)), /^signature-invalid: .*damaged/)
  t.regex(await outcome(armored, '\n'.repeat(65_536)), /^limit-exceeded/)
})

test('a hash that the receiving pass left out is made from the file, if that is still what was received', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  using directory = temporaryDirectory()
  const path = directory.in('image')
  writeFileSync(path, data)
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  keys.trust(scope, gpg.exportKey(key))
  const signature = gpg.sign(data, { key, digest: 'SHA256' })
  const received = reveal(receivedBlob(data), 'check signature')
  const partly = unverified({ ...received, path, digests: { ...received.digests, sha256: undefined }, hashes: { ...received.hashes, sha256: undefined } })
  await t.notThrowsAsync(() => checkSignature(partly, signature, keys.keystore, { now: new Date() }))
  writeFileSync(path, Buffer.concat([data, Buffer.of(0)]))
  await t.throwsAsync(() => checkSignature(partly, signature, keys.keystore, { now: new Date() }), { code: 'corrupted' })
  await t.throwsAsync(() => checkSignature(unverified({ ...reveal(partly, 'discard'), path: directory.in('gone') }), signature, keys.keystore, { now: new Date() }), { code: 'corrupted' })
})

test('checking leaves the hash states of the blob as they were', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  keys.trust(scope, gpg.exportKey(key))
  const signature = gpg.sign(data, { key })
  const blob = receivedBlob(data)
  for (let round = 0; round < 2; round += 1) await checkSignature(blob, signature, keys.keystore, { now: new Date() })
  t.deepEqual(reveal(blob, 'discard').hashes.sha512.copy().digest(), createHash('sha512').update(data).digest())
})
