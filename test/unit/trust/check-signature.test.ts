import test from 'ava'
import { randomBytes } from 'node:crypto'
import { parseACIdentifier } from '../../../src/spec/index.ts'
import { authorize, checkSignature, judgeVerdict } from '../../../src/trust/index.ts'
import { openGpg } from '../../support/gpg.ts'
import { openTestKeystore } from '../../support/keystore.ts'
import { receivedBlob } from '../../support/received.ts'

const name = parseACIdentifier('example.com/app')
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
    keys.trust({ kind: 'prefix', prefix: name }, gpg.exportKey(key))
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
