import { deflateRawSync } from 'node:zlib'
import test from 'ava'
import type { OciDocument, RawSignature } from '../../src/spec/index.ts'
import { imageOfChain } from '../../src/trust/index.ts'
import { makeKey, makeOciImage, payloadOf, type SignedImage } from '../support/oci-signing.ts'
import { openOciScene, scenePrefix, type OciScene } from '../support/oci-scene.ts'

const cosignType = 'cosign container image signature'

async function trusted(t: { readonly is: (a: unknown, b: unknown) => unknown }): Promise<OciScene & { readonly key: string }> {
  const scene = openOciScene()
  const key = scene.gpg.generateKey({ userID: 'Release <release@example.com>' })
  await scene.trust(scenePrefix, scene.gpg.exportKey(key))
  t.is((await scene.verify([scene.message(key)])).verdict.kind, 'signed')
  return { ...scene, key }
}

function simple(bytes: Uint8Array): RawSignature {
  return { form: 'simple-signing', place: 'test', bytes }
}

/** The same chain with other bytes, whose digests are those of these bytes. */
function withBytes(image: SignedImage, bytes: Uint8Array): SignedImage {
  const [document] = image.chain
  const chain: readonly OciDocument[] = document === undefined ? [] : [{ ...document, bytes }]
  return { ...image, chain, image: imageOfChain(chain) }
}

test('D1: an OCI image without a signature is refused, with the command that trusts a key', async (t) => {
  using scene = await trusted(t)
  const error = await t.throwsAsync(scene.verify([]), { code: 'signature-missing' })
  t.regex(String(Object.getOwnPropertyDescriptor(error, 'hint')?.value), new RegExp(`rkt trust --prefix=${scenePrefix} KEYFILE.*--insecure-options=image`))
})

test('D2: a container signature with any bit flipped, or cut off anywhere, is refused or says the same', async (t) => {
  using scene = await trusted(t)
  for (const extra of [[], ['--compress-algo', 'none']]) {
    const { bytes } = scene.message(scene.key, { extra })
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
      await judge(flipped)
      if (at % 3 === 0) await t.throwsAsync(scene.verify([simple(bytes.subarray(0, at))]), undefined, `cut at ${at}`)
    }
  }
  // Name and date of the data packet are outside the signature: what counts then is the same content by the same key.
  async function judge(bytes: Uint8Array): Promise<void> {
    try {
      const { value, verdict } = await scene.verify([simple(bytes)])
      t.deepEqual(value.chain, scene.image.chain)
      t.like(verdict, { kind: 'signed', keyFingerprint: scene.key })
    } catch (error) {
      t.regex(String(Object.getOwnPropertyDescriptor(error, 'code')?.value), /^(signature-invalid|key-untrusted|key-invalid|limit-exceeded)$/)
    }
  }
})

test('D2: a manifest with any of 200 bits flipped is refused', async (t) => {
  using scene = await trusted(t)
  const signature = scene.message(scene.key)
  const bytes = scene.image.chain[0]?.bytes ?? new Uint8Array()
  for (let round = 0; round < 200; round += 1) {
    const changed = Buffer.from(bytes)
    const at = Math.floor((round * bytes.byteLength) / 200)
    changed[at] = (changed[at] ?? 0) ^ (1 << (round % 7))
    await t.throwsAsync(async () => await scene.verify([signature], withBytes(scene.image, changed)))
  }
})

test('D4: a prefix matches whole path components of docker names only', async (t) => {
  using scene = await trusted(t)
  for (const [reference, ok] of [
    [`${scenePrefix}:1.2`, true],
    [`${scenePrefix}/part:1`, true],
    ['registry.example.com/team/apple:1', false],
    ['registry.example.com/team/app-evil:1', false],
    ['registry.example.com/team/app.evil:1', false],
    ['registry.example.com.evil/team/app:1', false],
    ['registry.example.com:5000/team/app:1', false],
    ['docker.io/team/app:1', false],
    ['registry.example.com/team:1', false],
  ] as const) {
    const image = makeOciImage({ reference })
    const signature = scene.message(scene.key, { payload: payloadOf({ digest: image.digest, reference }) })
    if (ok) t.is((await scene.verify([signature], image)).verdict.kind, 'signed', reference)
    else await t.throwsAsync(scene.verify([signature], image), { code: 'key-untrusted' }, reference)
  }
})

test('D5: a signature for another name, another tag or another image does not count', async (t) => {
  using scene = await trusted(t)
  const { digest } = scene.image
  for (const reference of ['registry.example.com/team/other:1.2', 'registry.example.com/team/app:1.3', 'registry.example.com/team/app:latest', 'evil.example.com/team/app:1.2', 'app:1.2']) {
    await t.throwsAsync(scene.verify([scene.message(scene.key, { payload: payloadOf({ digest, reference }) })]), { code: 'name-mismatch' }, reference)
  }
  const other = makeOciImage({ annotations: { other: 'yes' } })
  await t.throwsAsync(scene.verify([scene.message(scene.key, { payload: payloadOf({ digest: other.digest, reference: `${scenePrefix}:1.2` }) })]), { code: 'signature-invalid' })
  const byDigest = { ...scene.image, reference: { host: 'registry.example.com', repository: 'team/app', digest } }
  t.is((await scene.verify([scene.message(scene.key, { payload: payloadOf({ digest, reference: `${scenePrefix}:other` }) })], byDigest)).verdict.kind, 'signed', 'asked for by digest')
})

test('D5: a payload is exactly what it must be', async (t) => {
  using scene = await trusted(t)
  const good = JSON.parse(payloadOf({ digest: scene.image.digest, reference: `${scenePrefix}:1.2` }).toString())
  const { critical } = good
  for (const [what, text] of Object.entries({
    'another type': JSON.stringify({ ...good, critical: { ...critical, type: cosignType } }),
    'an unknown critical member': JSON.stringify({ ...good, critical: { ...critical, notBefore: 1 } }),
    'an unknown member': JSON.stringify({ ...good, extra: 1 }),
    'no identity': JSON.stringify({ ...good, critical: { type: critical.type, image: critical.image } }),
    'two digests': JSON.stringify(good).replace('"docker-manifest-digest"', '"docker-manifest-digest":"sha256:0","docker-manifest-digest"'),
    'something behind it': `${JSON.stringify(good)}{}`,
    'no JSON': 'critical',
    nothing: '',
    'nested deep': '['.repeat(30_000),
  })) {
    await t.throwsAsync(scene.verify([scene.message(scene.key, { payload: Buffer.from(text) })]), { code: 'signature-invalid' }, what)
  }
})

test('D6: expired, revoked and future keys do not count for container signatures either', async (t) => {
  using scene = openOciScene()
  const made = { time: '20240101T000000' }
  const expired = scene.gpg.generateKey({ userID: 'Expired <e@example.com>', expire: '1d', ...made })
  const compromised = scene.gpg.generateKey({ userID: 'Compromised <c@example.com>', ...made })
  const retired = scene.gpg.generateKey({ userID: 'Retired <r@example.com>', ...made })
  const good = scene.gpg.generateKey({ userID: 'Good <g@example.com>', ...made })
  const signed = { time: '20240101T010000' }
  const signatures = Object.fromEntries([expired, compromised, retired, good].map((key) => [key, scene.message(key, signed)]))
  scene.gpg.revoke(compromised, { reason: 1, time: '20240601T000000' })
  scene.gpg.revoke(retired, { reason: 3, time: '20240601T000000' })
  for (const key of [expired, compromised, retired, good]) await scene.trust(scenePrefix, scene.gpg.exportKey(key))
  const judge = (key: string): Promise<unknown> => scene.verify([signatures[key] ?? simple(new Uint8Array())])
  await t.throwsAsync(judge(expired), { code: 'key-expired' })
  await t.throwsAsync(judge(compromised), { code: 'key-revoked' })
  await t.notThrowsAsync(judge(retired))
  await t.notThrowsAsync(judge(good))
  await t.throwsAsync(scene.verify([scene.message(good, { time: '20990101T000000' })]), { code: 'signature-invalid' })
  await t.throwsAsync(scene.verify([scene.message(good, { extra: ['--sig-notation', '!critical@example.com=1'], time: '20240102T000000' })]), { code: 'signature-invalid' })
})

test('D7: weak keys, hashes and compressions are refused by name', async (t) => {
  using scene = openOciScene()
  const weak = ['--allow-weak-digest-algos', '--allow-weak-key-signatures']
  const rsa = scene.gpg.generateKey({ userID: 'RSA <rsa@example.com>', algorithm: 'rsa2048' })
  await scene.trust(scenePrefix, scene.gpg.exportKey(rsa))
  t.is((await scene.verify([scene.message(rsa)])).verdict.kind, 'signed')
  for (const digest of ['SHA1', 'SHA224', 'RIPEMD160']) {
    await t.throwsAsync(scene.verify([scene.message(rsa, { extra: [...weak, '--digest-algo', digest] })]), { code: 'signature-invalid', message: /signature/ }, digest)
  }
  await t.throwsAsync(scene.verify([scene.message(rsa, { extra: ['--compress-algo', 'bzip2'] })]), { code: 'signature-invalid', message: /compression of type 3/ })
  t.is((await scene.verify([scene.message(rsa, { extra: ['--compress-algo', 'zlib'] })])).verdict.kind, 'signed')
  for (const kind of ['p384', 'rsa1024'] as const) await t.throwsAsync(scene.trust(scenePrefix, makeKey(kind).pem), { code: 'key-invalid' }, kind)
})

test('D7: a cosign signature of zeros, of another encoding or of another key is refused', async (t) => {
  using scene = openOciScene()
  const key = makeKey()
  await scene.trust(scenePrefix, key.pem)
  const payload = payloadOf({ digest: scene.image.digest, reference: scenePrefix }, cosignType)
  const good = key.cosign(payload)
  t.is((await scene.verify([good])).verdict.kind, 'signed')
  const zeros = Buffer.from([0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]).toString('base64')
  for (const signature of [zeros, '', 'AAAA', `${good.annotations.signature}\n`, good.annotations.signature.replace(/=*$/, ''), ` ${good.annotations.signature}`]) {
    if (signature !== good.annotations.signature) await t.throwsAsync(scene.verify([{ ...good, annotations: { signature } }]), undefined, JSON.stringify(signature))
  }
  await t.throwsAsync(scene.verify([makeKey().cosign(payload)]), { code: 'key-untrusted' })
})

test('D8: a bound signing subkey signs, until it is revoked', async (t) => {
  using scene = openOciScene()
  const key = scene.gpg.generateKey({ userID: 'Subkeys <s@example.com>', usage: 'cert' })
  const subkey = scene.gpg.addSubkey(key, {})
  await scene.trust(scenePrefix, scene.gpg.exportKey(key))
  t.like((await scene.verify([scene.message(`${subkey}!`)])).verdict, { kind: 'signed', fingerprint: subkey, keyFingerprint: key })
  const signature = scene.message(`${subkey}!`)
  scene.gpg.revokeSubkey(key, { index: 1, reason: 1 })
  await scene.trust(scenePrefix, scene.gpg.exportKey(key))
  await t.throwsAsync(scene.verify([signature]), { code: 'key-revoked' })
})

test('a message of two signers, one with something behind it, and one that announces another signature are refused', async (t) => {
  using scene = await trusted(t)
  const second = scene.gpg.generateKey({ userID: 'Second <second@example.com>' })
  const plain = ['--compress-algo', 'none']
  const { bytes } = scene.message(scene.key, { extra: plain })
  const refuse = async (what: string, changed: Uint8Array): Promise<void> => void (await t.throwsAsync(scene.verify([simple(changed)]), { code: 'signature-invalid' }, what))
  await refuse('two signers', scene.message(scene.key, { extra: [...plain, '--local-user', second] }).bytes)
  await refuse('twice', Buffer.concat([bytes, bytes]))
  await refuse('a byte behind', Buffer.concat([bytes, Buffer.from([0])]))
  await refuse('an empty packet behind', Buffer.concat([bytes, Buffer.from([0xca, 0x00])]))
  const announced = Buffer.from(bytes)
  announced[8] = (announced[8] ?? 0) ^ 1
  await refuse('another key announced', announced)
  await refuse('compressed twice', compressed(compressed(bytes)))
  t.is((await scene.verify([simple(compressed(bytes))])).verdict.kind, 'signed')
  await t.throwsAsync(scene.verify([simple(compressed(Buffer.alloc(50_000_000)))]), { code: 'limit-exceeded' })
  await t.throwsAsync(scene.verify([simple(Buffer.alloc(70_000, 0xcb))]), { code: 'limit-exceeded' })
})

test('a list of signatures without end is cut off, and a good one at its start counts', async (t) => {
  using scene = await trusted(t)
  const good = scene.message(scene.key)
  const junk = Array.from({ length: 100_000 }, () => simple(Buffer.from([0xc2, 0x01, 0x00])))
  const began = performance.now()
  t.is((await scene.verify([good, ...junk])).verdict.kind, 'signed')
  await t.throwsAsync(scene.verify([...junk, good]))
  t.true(performance.now() - began < 5000)
})

test('D20: a document of the chain that the one above it does not name is refused', (t) => {
  const one = makeOciImage({ index: true })
  const other = makeOciImage({ annotations: { other: 'yes' } })
  const [index] = one.chain
  const [manifest] = other.chain
  if (index === undefined || manifest === undefined) return t.fail()
  t.throws(() => imageOfChain([index, manifest]), { code: 'corrupted' })
  t.throws(() => imageOfChain([index]), { code: 'corrupted' })
  t.throws(() => imageOfChain([]), { code: 'corrupted' })
  t.throws(() => imageOfChain([{ ...manifest, digest: one.digest }]), { code: 'corrupted' })
  t.notThrows(() => imageOfChain(one.chain))
})

/** A compressed packet of the old form, up to the end, as GnuPG writes it. */
function compressed(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0xa3, 0x01]), deflateRawSync(bytes)])
}
