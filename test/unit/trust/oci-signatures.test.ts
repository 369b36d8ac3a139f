import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { formatEvidence, imageOfChain, judgeVerdict, parseEvidence, prepareTrust, verifyOciImage, type Verified } from '../../../src/trust/index.ts'
import type { OciImage, RawSignature } from '../../../src/spec/index.ts'
import { openGpg } from '../../support/gpg.ts'
import { openTestKeystore, type TestKeystore } from '../../support/keystore.ts'
import { makeKey, makeOciImage, payloadOf, type SignedImage } from '../../support/oci-signing.ts'
import { temporaryDirectory } from '../../support/temp.ts'

// Keys and signatures of this test are made after it began.
const now = new Date(Date.now() + 60_000)

function verify(keys: TestKeystore, image: SignedImage, signatures: readonly RawSignature[]): Promise<Verified<OciImage>> {
  return verifyOciImage(image.image, { signatures, name: image.name, nameSource: 'requested', reference: image.reference, image: 'docker://example.com/app', keystore: keys.keystore, now })
}

test('a signature that skopeo made is accepted, compressed as GnuPG writes it, and its tag is the one that was asked for', async (t) => {
  using gpg = openGpg()
  using keys = openTestKeystore()
  using place = temporaryDirectory()
  const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
  keys.trust({ kind: 'prefix', prefix: makeOciImage().name }, gpg.exportKey(key))
  const image = makeOciImage()
  writeFileSync(place.in('manifest'), image.chain[0]?.bytes ?? '')
  execFileSync('skopeo', ['standalone-sign', place.in('manifest'), 'registry.example.com/team/app:1.2', key, '-o', place.in('signature')], { env: { ...process.env, GNUPGHOME: gpg.home } })
  const signature: RawSignature = { form: 'simple-signing', place: 'test', bytes: readFileSync(place.in('signature')) }
  const { verdict } = await verify(keys, image, [signature])
  t.like(verdict, { kind: 'signed', signatureKind: 'simple-signing', keyFingerprint: key, nameSource: 'requested' })
  t.is(judgeVerdict(verdict, { name: image.name, keystore: keys.keystore, now, insecure: { image: false } }), 'ok')
  const other = makeOciImage({ reference: 'registry.example.com/team/app:1.3' })
  await t.throwsAsync(verify(keys, other, [signature]), { code: 'name-mismatch' })
  const evidence = parseEvidence(Buffer.from(formatEvidence({ chain: image.chain, reference: image.reference, signatures: [signature] })))
  t.deepEqual(evidence.reference, image.reference)
  const again = await verifyOciImage(imageOfChain(evidence.chain), { ...evidence, name: image.name, image: 'docker://example.com/app', nameSource: 'requested', keystore: keys.keystore, now })
  t.like(again.verdict, { kind: 'signed', keyFingerprint: key })
})

for (const kind of ['p256', 'ed25519', 'rsa'] as const) {
  test(`a cosign signature with a key of kind ${kind} is accepted, also over the index, and not once it is changed`, async (t) => {
    using keys = openTestKeystore()
    const key = makeKey(kind)
    const image = makeOciImage({ index: true })
    const [stored] = (await prepareTrust({ bytes: key.pem, scope: { kind: 'prefix', prefix: image.name }, keystore: keys.keystore, what: 'the key', now })).commit()
    for (const { digest } of image.chain) {
      const payload = payloadOf({ digest, reference: 'registry.example.com/team/app' }, 'cosign container image signature')
      const good = key.cosign(payload)
      t.like((await verify(keys, image, [good])).verdict, { kind: 'signed', signatureKind: 'sigstore-key', keyFingerprint: stored?.fingerprint ?? '' })
      const changed = Buffer.from(payload)
      changed[10] = (changed[10] ?? 0) ^ 1
      await t.throwsAsync(verify(keys, image, [{ ...good, payload: changed }]), { code: 'key-untrusted' })
      await t.throwsAsync(verify(keys, image, [makeKey(kind).cosign(payload)]), { code: 'key-untrusted' })
    }
  })
}
