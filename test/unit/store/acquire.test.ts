import test from 'ava'
import { appendFileSync, copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseACIdentifier } from '../../../src/spec/index.ts'
import { ensureTree } from '../../../src/store/index.ts'
import { makeAci } from '../../support/aci.ts'
import { openTestStore, type TestStore } from '../../support/store.ts'
import { filesBelow } from '../../support/files.ts'

/** The store holds nothing: no record, blob, tree or scratch. */
const isEmpty = (one: TestStore): boolean =>
  filesBelow(join(one.dataDir, 'cas')).every((path) => path.startsWith('imagelocks/') || path.startsWith('treestorelocks/'))

test('acquireImage() stores a signed file, renders it, and finds it again by name, version and ID', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app')
  const record = await one.acquire(path)
  t.is<string, string>(record.name, 'example.com/busybox')
  t.is(record.verdict.kind === 'signed' && record.verdict.keyFingerprint, one.key)
  t.is(record.verdict.kind === 'signed' && record.verdict.nameSource, 'self-declared')
  t.deepEqual(one.store.records(), [record])
  const tree = one.store.treePath(record.treeID)
  for (const file of ['manifest', 'image', 'hash', 'listing', 'rendered', 'rootfs/bin/busybox']) t.truthy(statSync(join(tree, file)))
  t.is(await ensureTree(one.store, record), tree)
  t.is<string, string>((await one.store.manifest(record)).name, record.name)
  rmSync(path)
  for (const text of ['example.com/busybox', 'example.com/busybox:1.0.0', record.id, record.id.slice(0, 12)]) {
    t.deepEqual(await one.acquire(text, { pullPolicy: 'never' }), record)
  }
  t.deepEqual(filesBelow(join(one.dataDir, 'cas/tmp')), [])
})

test('acquireImage() says with --debug where an image comes from', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app')
  const { id } = await one.acquire(path)
  await one.acquire('example.com/busybox')
  await one.acquire(id)
  t.deepEqual(one.lines, [
    `image: using image from file ${path}`,
    'image: signature verified:',
    'image:   Signer <signer@example.com>',
    'image: searching for app image example.com/busybox',
    'image: using image from local store for image name example.com/busybox',
    `image: using image from the store with hash ${id}`,
  ])
})

test('acquireImage() refuses an image without signature, and leaves nothing', async (t) => {
  using one = openTestStore()
  copyFileSync(makeAci(), one.place.in('x.aci'))
  t.regex(await one.refusal('./x.aci'), /^signature-missing: error opening signature file ".*\/x\.aci\.asc": ENOENT/)
  t.true(isEmpty(one))
})

test('acquireImage() refuses a changed image, a changed signature and one by a stranger, and leaves nothing', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app')
  const signature = readFileSync(`${path}.asc`)
  appendFileSync(path, 'x')
  t.regex(await one.refusal(path), /^signature-invalid: /)
  copyFileSync(makeAci(), path)
  writeFileSync(`${path}.asc`, signature.subarray(0, 100))
  t.regex(await one.refusal(path), /^signature-invalid: /)
  const stranger = one.gpg.generateKey({ userID: 'Stranger <stranger@example.com>' })
  writeFileSync(`${path}.asc`, one.gpg.sign(readFileSync(path), { key: stranger }))
  t.regex(await one.refusal(path), /^key-untrusted: .*openpgp: signature made by unknown entity/)
  t.true(isEmpty(one))
  writeFileSync(`${path}.asc`, signature)
  t.is<string, string>((await one.acquire(path)).name, 'example.com/busybox')
})

test('acquireImage() refuses a name for which the signer is not trusted, and leaves nothing', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app', { manifest: { name: 'example.com.evil/app' } })
  t.regex(await one.refusal(path), /^key-untrusted: cannot use image "example\.com\.evil\/app"/)
  t.true(isEmpty(one))
})

test('acquireImage() never opens an image whose signature does not hold', async (t) => {
  using one = openTestStore()
  const path = one.place.in('x.aci')
  writeFileSync(path, 'neither an archive nor signed')
  writeFileSync(`${path}.asc`, one.gpg.sign(Buffer.from('something else'), { key: one.key }))
  t.regex(await one.refusal(path), /^signature-invalid: /)
  writeFileSync(`${path}.asc`, one.gpg.sign(readFileSync(path), { key: one.key }))
  t.regex(await one.refusal(path), /^(invalid-archive|io): /)
  t.true(isEmpty(one))
})

test('acquireImage() takes the signature that it is told of', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app')
  const signature = readFileSync(`${path}.asc`)
  rmSync(`${path}.asc`)
  writeFileSync(one.place.in('elsewhere.asc'), signature)
  t.is<string, string>((await one.acquire(path, { signaturePath: 'elsewhere.asc' })).name, 'example.com/busybox')
})

test('acquireImage() compares what the user expects', async (t) => {
  using one = openTestStore()
  const path = one.signedAci('app')
  t.regex(await one.refusal(path, { expectName: 'example.com/other' }), /^name-mismatch: .*its name is "example\.com\/busybox"; expected "example\.com\/other"$/)
  t.is(
    await one.refusal(path, { expectName: 'example.com/busybox:2' }),
    'name-mismatch: requested value for label "version": "2" differs from fetched aci label value: "1.0.0"',
  )
  t.is(await one.refusal(path, { expectName: 'example.com/busybox,channel=x' }), 'name-mismatch: requested label "channel" not provided by the image manifest')
  t.true(isEmpty(one))
  const record = await one.acquire(path, { expectName: 'example.com/busybox:1.0.0' })
  t.is(record.verdict.kind === 'signed' && record.verdict.nameSource, 'requested')
})

test('acquireImage() says what is not there', async (t) => {
  using one = openTestStore()
  const yielded = 'either image was not found in the store or store was disabled and fetching from remote yielded nothing or it was disabled'
  t.is(await one.refusal('none.invalid/none:1'), `not-found: unable to fetch image from image name "none.invalid/none:1": ${yielded}`)
  t.is(await one.refusal('https://localhost/x.aci', { pullPolicy: 'never' }), `not-found: unable to fetch image from URL "https://localhost/x.aci": ${yielded}`)
  t.regex(await one.refusal('sha512-ab'), /^not-found: no image IDs found/)
  t.regex(await one.refusal('sha512-a'), /^invalid-reference: image ID too short/)
  t.regex(await one.refusal('./none.aci'), /^not-found: cannot open image file /)
})

test('acquireImage() finds an image by name only for this platform, and the one imported last', async (t) => {
  using one = openTestStore()
  const labels = (version: string, arch: string): { name: string; value: string }[] => [
    { name: 'version', value: version },
    { name: 'os', value: 'linux' },
    { name: 'arch', value: arch },
  ]
  const arch = process.arch === 'arm64' ? 'aarch64' : 'amd64'
  const newer = await one.acquire(one.signedAci('a', { manifest: { labels: labels('2', arch) } }), { now: new Date(2_000_000_000_000) })
  const older = await one.acquire(one.signedAci('b', { manifest: { labels: labels('1', arch) } }), { now: new Date(1_999_000_000_000) })
  await one.acquire(one.signedAci('c', { manifest: { labels: labels('3', 's390x') } }), { now: new Date(2_001_000_000_000) })
  t.is((await one.acquire('example.com/busybox')).id, newer.id)
  t.is((await one.acquire('example.com/busybox:1')).id, older.id)
  t.regex(await one.refusal('example.com/busybox:3'), /^not-found: /)
})

test('acquireImage() stores an unsigned image only when it is told to, and remembers that', async (t) => {
  using one = openTestStore()
  copyFileSync(makeAci(), one.place.in('x.aci'))
  const waived = { insecure: { image: true, tls: false, http: false } }
  const record = await one.acquire('./x.aci', waived)
  t.is(record.verdict.kind, 'waived')
  t.true(one.lines.includes('image: warning: image signature verification has been disabled'))
  t.regex(await one.refusal('example.com/busybox'), /^signature-missing: .*--insecure-options=image/)
  t.is((await one.acquire('example.com/busybox', waived)).id, record.id)
  one.signedAci('x')
  t.is((await one.acquire('./x.aci')).verdict.kind, 'signed')
  t.is((await one.acquire('./x.aci', waived)).verdict.kind, 'signed')
  t.is((await one.acquire('example.com/busybox')).verdict.kind, 'signed')
})

test('acquireImage() asks again when a key is withdrawn, and believes it when it comes back', async (t) => {
  using one = openTestStore()
  await one.acquire(one.signedAci('app'))
  const scope = { kind: 'prefix', prefix: parseACIdentifier('example.com') } as const
  t.true(one.keys.keystore.remove(scope, one.key))
  t.regex(await one.refusal('example.com/busybox'), /^key-untrusted: /)
  one.keys.trust({ kind: 'root' }, one.gpg.exportKey(one.key))
  const { verdict } = await one.acquire('example.com/busybox')
  t.deepEqual(verdict.kind === 'signed' && verdict.scope, { kind: 'root' })
  t.deepEqual((await one.acquire('example.com/busybox')).verdict, verdict)
})

test('acquireImage() marks an image as used', async (t) => {
  using one = openTestStore()
  await one.acquire(one.signedAci('app'), { now: new Date(1_800_000_000_000) })
  const lastUsed = (): readonly number[] => one.store.readings().map((reading) => (reading.kind === 'image' ? reading.lastUsedMs : 0))
  t.deepEqual(lastUsed(), [1_800_000_000_000])
  await one.acquire('example.com/busybox', { now: new Date(1_900_000_000_000) })
  t.deepEqual(lastUsed(), [1_900_000_000_000])
})

test('acquireImage() of a stored image costs a few milliseconds', async (t) => {
  using one = openTestStore()
  await one.acquire(one.signedAci('app'))
  await one.acquire('example.com/busybox')
  const times: number[] = []
  for (let round = 0; round < 30; round += 1) {
    const start = performance.now()
    await one.acquire('example.com/busybox')
    times.push(performance.now() - start)
  }
  // The least is what the machine's other work does not change.
  const least = Math.min(...times)
  t.true(least < 5, `${least} ms`)
})
