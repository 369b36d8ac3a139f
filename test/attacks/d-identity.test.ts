import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { OciImage, RawSignature } from '../../src/spec/index.ts'
import { openKeystore, prepareIdentity, verifyOciImage, type Verified } from '../../src/trust/index.ts'
import { openTestKeystore, type TestKeystore } from '../support/keystore.ts'
import { makeOciImage, payloadOf, type SignedImage } from '../support/oci-signing.ts'
import { makeSigstore, rawBundle, someone, type BundleJson, type TestSigstore } from '../support/sigstore.ts'

// The world of this test is made after it began.
const now = new Date(Date.now() + 60_000)
const image = makeOciImage({ index: true })
const hour = 3_600_000

let sigstore: TestSigstore
test.before(async () => {
  sigstore = await makeSigstore()
})

function trusting(world: TestSigstore, identity: { readonly subject: string; readonly issuer: string } = someone): TestKeystore {
  const keys = openTestKeystore()
  prepareIdentity({ ...identity, trustRoot: world.trustRoot, scope: { kind: 'prefix', prefix: image.name }, keystore: keys.keystore, what: 'the test root' }).commit()
  return keys
}

function verify(keys: TestKeystore, signature: RawSignature, of: SignedImage = image): Promise<Verified<OciImage>> {
  return verifyOciImage(of.image, { signatures: [signature], name: of.name, nameSource: 'requested', reference: of.reference, image: `docker://${of.reference.host}/${of.reference.repository}`, keystore: keys.keystore, now })
}

function statement(of: SignedImage = image, predicateType = 'https://sigstore.dev/cosign/sign/v1'): object {
  return { _type: 'https://in-toto.io/Statement/v1', subject: [{ digest: { sha256: of.digest.slice('sha256:'.length) } }], predicateType, predicate: {} }
}

function manifestBytes(of: SignedImage = image): Uint8Array {
  return of.chain.at(-1)?.bytes ?? new Uint8Array()
}

test('D21 twin: a bundle with an envelope, one with a message, and an older cosign signature of the trusted identity are accepted', async (t) => {
  using keys = trusting(sigstore)
  const payload = payloadOf({ digest: image.digest, reference: 'registry.example.com/team/app' }, 'cosign container image signature')
  for (const signature of [rawBundle(await sigstore.envelope(statement())), rawBundle(await sigstore.message(manifestBytes())), await sigstore.cosign(payload)]) {
    const { verdict } = await verify(keys, signature)
    t.like(verdict, { kind: 'signed', signatureKind: 'sigstore-identity', signerIdentities: [`${someone.subject} (${someone.issuer})`] })
  }
})

test('a refusal names what trusts an identity, and the way past signatures only where nobody locked it', async (t) => {
  using keys = openTestKeystore()
  const signature = rawBundle(await sigstore.envelope(statement()))
  const hint = async (): Promise<unknown> => {
    const error = await t.throwsAsync(verify({ ...keys, keystore: openKeystore(keys.dirs) }, signature), { code: 'key-untrusted' })
    return Object.getOwnPropertyDescriptor(error, 'hint')?.value
  }
  const command = `trust its key with: rkt trust --prefix=${image.name} --identity=SUBJECT --issuer=URL`
  t.is(await hint(), `${command}; or allow it once with --insecure-options=image`)
  mkdirSync(join(keys.dirs.local, 'policy.d'), { recursive: true })
  writeFileSync(join(keys.dirs.local, 'policy.d', 'all.json'), JSON.stringify({ rktKind: 'policy', rktVersion: 'v1', prefixes: ['*'], locked: true }))
  t.is(await hint(), command)
})

async function refused(t: { readonly throwsAsync: (promise: Promise<unknown>, expected: { readonly code: string }, message?: string) => Promise<unknown> }, bundle: BundleJson, code: string, what?: string): Promise<void> {
  using keys = trusting(sigstore)
  await t.throwsAsync(verify(keys, rawBundle(bundle)), { code }, what)
}

test('D21: a bundle of another image is refused, whatever its message digest says', async (t) => {
  const other = makeOciImage({ annotations: { other: 'yes' } })
  await refused(t, await sigstore.envelope(statement(other)), 'signature-invalid')
  await refused(t, await sigstore.message(manifestBytes(other)), 'signature-invalid')
  const lying = await sigstore.message(manifestBytes(other))
  const honest = await sigstore.message(manifestBytes())
  await refused(t, { ...lying, ...(honest.messageSignature === undefined ? {} : { messageSignature: { ...honest.messageSignature, signature: lying.messageSignature?.signature ?? '' } }) }, 'signature-invalid')
})

test('D21: an attestation about the image by the trusted identity does not sign it', async (t) => {
  for (const type of ['https://slsa.dev/provenance/v1', 'https://cosign.sigstore.dev/attestation/vuln/v1', '']) await refused(t, await sigstore.envelope(statement(image, type)), 'signature-invalid', type)
})

test('D21: the entry of another signature, one of another log, and none at all are refused', async (t) => {
  const good = await sigstore.message(manifestBytes())
  const other = await sigstore.message(manifestBytes())
  const elsewhere = await (await makeSigstore()).message(manifestBytes())
  const withEntries = (tlogEntries: BundleJson['verificationMaterial']['tlogEntries']): BundleJson => ({ ...good, verificationMaterial: { ...good.verificationMaterial, tlogEntries } })
  await refused(t, withEntries(other.verificationMaterial.tlogEntries), 'signature-invalid', 'another signature')
  await refused(t, withEntries(elsewhere.verificationMaterial.tlogEntries), 'signature-invalid', 'another log')
  await refused(t, withEntries([]), 'signature-invalid', 'none')
  const [entry] = good.verificationMaterial.tlogEntries
  if (entry === undefined) return t.fail('no entry')
  const { inclusionPromise: promise, inclusionProof: proof, ...bare } = entry
  await refused(t, withEntries([bare]), 'signature-invalid', 'neither promise nor proof')
  // Without the log's own signature, the time is whatever the bearer writes.
  if (proof !== undefined) await refused(t, withEntries([{ ...bare, inclusionProof: proof }]), 'signature-invalid', 'no time')
  if (promise !== undefined) await refused(t, withEntries([{ ...bare, inclusionPromise: promise, integratedTime: `${Number(bare.integratedTime) - 60}` }]), 'signature-invalid', 'another time')
})

test('D21: a signature outside the life of its certificate, and one of the future, are refused', async (t) => {
  await refused(t, await sigstore.message(manifestBytes(), { loggedAt: new Date(Date.now() + hour) }), 'signature-invalid', 'late')
  await refused(t, await sigstore.message(manifestBytes(), { loggedAt: new Date(Date.now() - hour) }), 'signature-invalid', 'early')
})

test('D21: an authority or log that the trust root no longer has, or has only for another time, vouches for nothing', async (t) => {
  const good = rawBundle(await sigstore.message(manifestBytes()))
  const root = JSON.parse(sigstore.trustRoot.toString())
  const ended = { start: new Date(Date.now() - 300 * 24 * hour).toISOString(), end: new Date(Date.now() - 200 * 24 * hour).toISOString() }
  const [authority] = root.certificateAuthorities
  const [log] = root.tlogs
  const [certificates] = root.ctlogs
  for (const [what, changed] of Object.entries({
    'an authority that ended': { certificateAuthorities: [{ ...authority, validFor: ended }] },
    'no authority': { certificateAuthorities: [] },
    'a log that ended': { tlogs: [{ ...log, publicKey: { ...log.publicKey, validFor: ended } }] },
    'no log': { tlogs: [] },
    'a certificate log that ended': { ctlogs: [{ ...certificates, publicKey: { ...certificates.publicKey, validFor: ended } }] },
    'another certificate log': { ctlogs: [{ ...certificates, publicKey: log.publicKey, logId: log.logId }] },
    'a damaged authority': { certificateAuthorities: [{ ...authority, certChain: { certificates: [{ rawBytes: 'AAAA' }] } }] },
  })) {
    using keys = trusting({ ...sigstore, trustRoot: Buffer.from(JSON.stringify({ ...root, ...changed })) })
    const error = await t.throwsAsync(verify(keys, good), undefined, what)
    t.regex(String(Object.getOwnPropertyDescriptor(error, 'code')?.value), /^(signature-invalid|key-invalid)$/, what)
  }
})

test('D21: a certificate of another authority is refused', async (t) => {
  const good = await sigstore.message(manifestBytes())
  const other = await (await makeSigstore()).message(manifestBytes())
  const { certificate } = other.verificationMaterial
  await refused(t, { ...good, verificationMaterial: { ...good.verificationMaterial, ...(certificate === undefined ? {} : { certificate }) } }, 'signature-invalid')
})

test('D21: issuer and subject are compared whole', async (t) => {
  const bytes = manifestBytes()
  for (const who of [
    { issuer: `${someone.issuer}.evil.example` },
    { issuer: `${someone.issuer}/` },
    { issuer: 'https://issuer.example.co' },
    { subject: `${someone.subject}-evil` },
    { subject: `https://evil.example/?${someone.subject}` },
    { subject: someone.subject.replace('.', 'x') },
  ]) {
    await refused(t, await sigstore.message(bytes, who), 'key-untrusted', JSON.stringify(who))
  }
})

test('D21: an identity that is a pattern cannot be trusted', (t) => {
  for (const subject of ['.*', '^https://example.com/.*$', '*@example.com', '', 'a|b']) t.throws(() => trusting(sigstore, { ...someone, subject }), { code: 'key-invalid' }, subject)
  for (const issuer of ['.*', 'http://issuer.example.com', 'issuer.example.com', '']) t.throws(() => trusting(sigstore, { ...someone, issuer }), { code: 'key-invalid' }, issuer)
})

test('D2: a bundle with any of 200 bits flipped, or cut off anywhere, is refused or says the same', async (t) => {
  using keys = trusting(sigstore)
  const whole = Buffer.from(JSON.stringify(await sigstore.envelope(statement())))
  for (let round = 0; round < 200; round += 1) {
    const bytes = Buffer.from(whole)
    const at = Math.floor((round * bytes.byteLength) / 200)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (round % 8))
    await judge(bytes)
    await judge(whole.subarray(0, at))
  }
  // Names of fields that nobody reads may change: what counts then is the same content by the same signer.
  async function judge(bytes: Uint8Array): Promise<void> {
    try {
      const { value, verdict } = await verify(keys, { form: 'bundle', place: 'test', bytes })
      t.deepEqual(value.chain, image.chain)
      t.like(verdict, { kind: 'signed', signatureKind: 'sigstore-identity' })
    } catch (error) {
      t.regex(String(Object.getOwnPropertyDescriptor(error, 'code')?.value), /^(signature-invalid|key-untrusted|limit-exceeded)$/)
    }
  }
})
