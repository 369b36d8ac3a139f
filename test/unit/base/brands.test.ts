import test from 'ava'
import { asPodUUID, digestParts, parseDigest, parseImageID, parsePodUUID } from '../../../src/base/index.ts'

const hex = 'a'.repeat(64)

test('parseImageID() cuts digits after the 64th', (t) => {
  t.is(String(parseImageID(`sha512-${hex}`)), `sha512-${hex}`)
  t.is(String(parseImageID(`sha512-${hex}${'b'.repeat(64)}`)), `sha512-${hex}`)
})

test('parseImageID() refuses a path in the digest, and everything else that is none', (t) => {
  for (const text of ['', hex, `sha512-${hex.slice(1)}`, `sha512-${hex}${hex}a`, `sha256-${hex}`, `SHA512-${hex}`, `sha512-${'A'.repeat(64)}`, `sha512-../../${hex}`, `sha512-${hex}/`, `sha512-${hex}\n`, `sha512-${hex}\0`]) {
    t.throws(() => parseImageID(text), { code: 'invalid-reference' }, text)
  }
})

test('parseDigest() accepts the two algorithms in their full length only', (t) => {
  t.deepEqual(digestParts(parseDigest(`sha256:${hex}`)), { algorithm: 'sha256', hex })
  t.deepEqual(digestParts(parseDigest(`sha512:${hex}${hex}`)), { algorithm: 'sha512', hex: hex + hex })
  for (const text of ['', `sha512:${hex}`, `sha256:${hex}${hex}`, `md5:${hex}`, `sha256-${hex}`, `sha256:${'G'.repeat(64)}`, `sha256:../${hex}`]) t.throws(() => parseDigest(text), { code: 'invalid-reference' }, text)
})

test('asPodUUID() accepts whole UUIDs in small letters only', (t) => {
  const uuid = '6ec0fd1e-9b8f-4c1b-8a4a-0123456789ab'
  t.is(String(asPodUUID(uuid)), uuid)
  for (const text of ['', uuid.slice(1), uuid.toUpperCase(), `${uuid}/`, `../${uuid}`, `${uuid}\n`, uuid.replaceAll('-', '')]) {
    t.is(asPodUUID(text), undefined)
    t.throws(() => parsePodUUID(text), { code: 'invalid-reference' })
  }
})
