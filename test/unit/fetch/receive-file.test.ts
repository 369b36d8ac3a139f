import test from 'ava'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { reveal, type ReceivedBlob } from '../../../src/base/index.ts'
import { hashFile, receiveFile, type HashAlgorithm, type Progress } from '../../../src/fetch/index.ts'
import { refusalOf } from '../../support/store.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const signal = new AbortController().signal
const digest = (algorithm: string, bytes: Uint8Array): Uint8Array => createHash(algorithm).update(bytes).digest()

for (const size of [0, 1, 1_048_575, 1_048_576, 1_048_577, 5_000_000]) {
  test(`receiveFile() copies and hashes ${size} bytes`, async (t) => {
    using place = temporaryDirectory()
    const content = randomBytes(size)
    writeFileSync(place.in('image'), content)
    mkdirSync(place.in('scratch'))
    const seen: Progress[] = []
    const blob: ReceivedBlob = reveal(
      await receiveFile(place.in('image'), { into: place.in('scratch'), signal, onProgress: (progress) => seen.push(progress) }),
      'check signature',
    )
    t.is(blob.path, place.in('scratch', 'blob'))
    t.true(readFileSync(blob.path).equals(content))
    t.not(statSync(blob.path).ino, statSync(place.in('image')).ino)
    t.is(blob.sizeBytes, size)
    for (const algorithm of ['sha256', 'sha384', 'sha512'] as const) {
      t.deepEqual(Buffer.from(blob.digests[algorithm] ?? []), digest(algorithm, content))
      t.deepEqual(blob.hashes[algorithm]?.copy().update('tail').digest(), digest(algorithm, Buffer.concat([content, Buffer.from('tail')])))
    }
    t.is(seen.at(-1)?.doneBytes ?? 0, size)
    const again = reveal(await hashFile(place.in('image'), { signal }), 'check signature')
    t.deepEqual(again.digests, blob.digests)
  })
}

test('receiveFile() hashes only with what the signature needs, and always for the blob', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('image'), 'x')
  const hashes = new Set<HashAlgorithm>(['sha256'])
  const { digests } = reveal(await receiveFile(place.in('image'), { into: place.path, signal, hashes }), 'check signature')
  t.truthy(digests.sha256)
  t.is(digests.sha384, undefined)
  t.truthy(digests.sha512)
})

test('receiveFile() follows a symbolic link of the user', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('image'), 'x')
  symlinkSync('image', place.in('link'))
  t.is(reveal(await receiveFile(place.in('link'), { into: place.path, signal }), 'check signature').sizeBytes, 1)
})

test('receiveFile() refuses what is not a regular file, without waiting', async (t) => {
  using place = temporaryDirectory()
  execFileSync('mkfifo', [place.in('fifo')])
  mkdirSync(place.in('scratch'))
  for (const path of [place.in('fifo'), place.path, '/dev/zero']) {
    t.regex(await refusalOf(() => receiveFile(path, { into: place.in('scratch'), signal })), /^io: .*not a regular file$/)
  }
  t.regex(await refusalOf(() => receiveFile(place.in('none'), { into: place.in('scratch'), signal })), /^not-found: .*ENOENT/)
})

test('receiveFile() ends with the reason of its signal', async (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('image'), Buffer.alloc(8_000_000))
  const reason = new Error('stopped')
  await t.throwsAsync(receiveFile(place.in('image'), { into: place.path, signal: AbortSignal.abort(reason) }), { is: reason })
})
