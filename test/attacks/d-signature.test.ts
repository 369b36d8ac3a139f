import test from 'ava'
import { randomBytes, randomInt } from 'node:crypto'
import { asACIdentifier, parseACIdentifier } from '../../src/spec/index.ts'
import { judgeVerdict, signatureMissing } from '../../src/trust/index.ts'
import { openGpg } from '../support/gpg.ts'
import { openTestKeystore } from '../support/keystore.ts'
import { lastNumber, withBody, withLastNumber } from '../support/signature-surgery.ts'
import { outcomeOf } from '../support/trust-outcome.ts'

const data = randomBytes(4096)
const name = parseACIdentifier('example.com/app')
const userID = 'Release <release@example.com>'

test('D1: an unsigned image is refused with the commands to trust its key or to allow it once', async (t) => {
  using keys = openTestKeystore()
  const refusal = signatureMissing('./app.aci', { state: 'it has no signature', name, image: undefined, keystore: keys.keystore })
  t.is(refusal.code, 'signature-missing')
  t.regex(refusal.hint ?? '', /rkt trust --prefix=example\.com\/app KEYFILE.*--insecure-options=image/)
  const now = new Date()
  const waived = { kind: 'waived', reason: '--insecure-options=image', at: now.toISOString() } as const
  t.throws(() => judgeVerdict(waived, { name, keystore: keys.keystore, now, insecure: { image: false } }), { code: 'signature-missing' })
  t.is(judgeVerdict(waived, { name, keystore: keys.keystore, now, insecure: { image: true } }), 'ok')
  t.regex(await outcomeOf({ keys, data, signature: new Uint8Array(0) }), /^signature-invalid/)
})

test('D2: an image with any bit flipped is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID })
  keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
  const signature = gpg.sign(data, { key })
  t.is(await outcomeOf({ keys, data, signature }), 'accepted')
  for (let count = 0; count < 200; count += 1) {
    const flipped = Buffer.from(data)
    const at = randomInt(flipped.length)
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << randomInt(8)), at)
    t.regex(await outcomeOf({ keys, data: flipped, signature }), /^signature-invalid/, `byte ${at}`)
  }
  t.regex(await outcomeOf({ keys, data: data.subarray(1), signature }), /^signature-invalid/)
  t.regex(await outcomeOf({ keys, data: Buffer.concat([data, Buffer.of(0)]), signature }), /^signature-invalid/)
})

for (const { algorithm, armor } of [
  { algorithm: 'ed25519', armor: true },
  { algorithm: 'ed25519', armor: false },
  { algorithm: 'nistp256', armor: false },
  { algorithm: 'rsa2048', armor: false },
]) {
  test(`D2: an ${algorithm} signature (${armor ? 'armoured' : 'binary'}) with any bit flipped, or cut off anywhere, is refused`, async (t) => {
    using gpg = openGpg()
    using keys = openTestKeystore()
    const key = gpg.generateKey({ userID, algorithm, usage: 'sign' })
    keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
    const signature = gpg.sign(data, { key, armor })
    t.is(await outcomeOf({ keys, data, signature }), 'accepted')
    for (let at = 0; at < signature.length; at += 1) {
      for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
        const flipped = Buffer.from(signature)
        flipped.writeUInt8(flipped.readUInt8(at) ^ mask, at)
        const outcome = await outcomeOf({ keys, data, signature: flipped })
        if (outcome === 'accepted') t.fail(`byte ${at} xor ${mask} is accepted`)
      }
    }
    // Armour without its very last newline is still whole.
    for (let length = 0; length < signature.length - (armor ? 1 : 0); length += 1) {
      const outcome = await outcomeOf({ keys, data, signature: signature.subarray(0, length) })
      if (outcome === 'accepted') t.fail(`${length} bytes are accepted`)
    }
  })
}

test('D4: a prefix matches whole path components only', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID })
  keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
  const signature = gpg.sign(data, { key })
  for (const good of ['example.com/app', 'example.com/app/worker', 'example.com/app/a/b/c']) {
    t.is(await outcomeOf({ keys, data, signature, name: parseACIdentifier(good) }), 'accepted', good)
  }
  for (const bad of ['example.com/apple', 'example.com/app-evil', 'example.com.evil/app', 'example.com', 'example.co/app', 'evil/example.com/app', 'example.com/ap']) {
    const outcome = await outcomeOf({ keys, data, signature, name: parseACIdentifier(bad) })
    t.regex(outcome, /^key-untrusted: .*signature made by unknown entity; key [0-9a-f]{40} is trusted for prefix "example\.com\/app" only$/, bad)
  }
  for (const impossible of ['EXAMPLE.com/app', 'example.com/app/../../x', 'example.com//app', 'example.com/app/', '../example.com/app']) {
    t.is(asACIdentifier(impossible), undefined, impossible)
  }
})

test('D7: weak keys and hashes, old versions and signatures of texts are refused by name', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, algorithm: 'rsa2048', usage: 'sign' })
  const short = gpg.generateKey({ userID: 'Short <short@example.com>', algorithm: 'rsa1024', usage: 'sign' })
  const dsa = gpg.generateKey({ userID: 'Old <old@example.com>', algorithm: 'dsa2048', usage: 'sign' })
  for (const one of [key, short, dsa]) keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(one))
  const signature = gpg.sign(data, { key, armor: false })
  t.is(await outcomeOf({ keys, data, signature }), 'accepted')

  t.regex(await outcomeOf({ keys, data, signature: gpg.sign(data, { key: short }) }), /^key-invalid: .*RSA key of 1024 bits; expected at least 2048/)
  t.regex(await outcomeOf({ keys, data, signature: gpg.sign(data, { key: dsa }) }), /^signature-invalid: .*DSA signature/)
  t.regex(await outcomeOf({ keys, data, signature: gpg.sign(data, { key, digest: 'SHA1' }) }), /^signature-invalid: .*SHA-1 signature/)
  t.regex(await outcomeOf({ keys, data, signature: gpg.sign(data, { key, digest: 'SHA224' }) }), /^signature-invalid: .*SHA-224 signature/)
  t.regex(await outcomeOf({ keys, data, signature: gpg.sign(data, { key, extra: ['--textmode'] }) }), /^signature-invalid: .*signature of a text/)

  const changed = async (at: number, value: number): Promise<string> => await outcomeOf({ keys, data, signature: withBody(signature, (body) => body.writeUInt8(value, at)) })
  t.regex(await changed(0, 3), /^signature-invalid: .*version 3 signature/)
  t.regex(await changed(0, 6), /^signature-invalid: .*version 6 signature/)
  t.regex(await changed(1, 0x10), /^signature-invalid: .*type 0x10/)
  t.regex(await changed(2, 16), /^signature-invalid: .*ElGamal signature/)
  t.regex(await changed(3, 1), /^signature-invalid: .*MD5 signature/)
})

for (const algorithm of ['brainpoolP256r1', 'secp256k1']) {
  test(`D7: a key on the curve ${algorithm} is refused by name`, async (t) => {
    using gpg = openGpg()
    using keys = openTestKeystore()
    const key = gpg.generateKey({ userID, algorithm, usage: 'sign' })
    keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
    t.regex(await outcomeOf({ keys, data, signature: gpg.sign(data, { key }) }), new RegExp(`^key-invalid: .*curve ${algorithm}`))
  })
}

test('D7: a key whose self-signature uses SHA-1 is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, algorithm: 'rsa2048', extra: ['--cert-digest-algo', 'SHA1'] })
  keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
  t.regex(await outcomeOf({ keys, data, signature: gpg.sign(data, { key }) }), /^key-invalid: .*no valid self-signature/)
})

test('D7: an EdDSA signature with S not below the order is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID })
  keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
  const signature = gpg.sign(data, { key, armor: false })
  const order = (1n << 252n) + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(lastNumber(signature, 32)).reverse().toString('hex')}`)
  const forged = Buffer.from((s + order).toString(16).padStart(64, '0'), 'hex').reverse()
  t.is(await outcomeOf({ keys, data, signature: withLastNumber(signature, Buffer.from(lastNumber(signature, 32))) }), 'accepted')
  t.regex(await outcomeOf({ keys, data, signature: withLastNumber(signature, forged) }), /^signature-invalid/)
})

test('D7: an ECDSA signature with a zero number is refused', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  const key = gpg.generateKey({ userID, algorithm: 'nistp256', usage: 'sign' })
  keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
  const signature = gpg.sign(data, { key, armor: false })
  t.is(await outcomeOf({ keys, data, signature: withLastNumber(signature, lastNumber(signature, 32)) }), 'accepted')
  t.regex(await outcomeOf({ keys, data, signature: withLastNumber(signature, Buffer.alloc(32)) }), /^signature-invalid: .*zero number/)
  t.regex(await outcomeOf({ keys, data, signature: withLastNumber(signature, Buffer.from('01', 'hex')) }), /^signature-invalid/)
})
