import test from 'ava'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { isRktError, reveal } from '../../../../src/base/index.ts'
import { receiveBlobs } from '../../../../src/fetch/index.ts'
import { ociMediaTypes } from '../../../../src/spec/index.ts'
import { blob, craftImage, craftIndex, json, named, sha256, writeLayout } from '../../../support/oci-image.ts'
import { descriptorOf, linuxAmd64, openSource } from '../../../support/oci-source.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../../support/temp.ts'

const never = new AbortController().signal
const refName = 'org.opencontainers.image.ref.name'

/** A layout with images `one` and `two`, the second below an index. */
function makeLayout(place: TemporaryDirectory): { readonly one: ReturnType<typeof craftImage>; readonly two: ReturnType<typeof craftImage>; readonly path: string } {
  const [one, two, other] = [craftImage(), craftImage({ layers: [Buffer.from('two')] }), craftImage({ architecture: 's390x' })]
  const index = craftIndex([{ document: other.manifest, platform: { os: 'linux', architecture: 's390x' } }, { document: two.manifest, platform: { os: 'linux', architecture: 'amd64' } }])
  const path = place.in('layout')
  mkdirSync(path)
  writeLayout(path, {
    blobs: [one, two, other].flatMap(({ manifest, blobs }) => [manifest, ...blobs]).concat(index),
    entries: [{ ...named(one.manifest), annotations: { [refName]: 'one' } }, { ...named(index), annotations: { [refName]: 'quay.io/me/two:v2' } }],
  })
  return { one, two, path }
}

async function digestsOf(reference: string): Promise<readonly string[]> {
  await using source = await openSource(reference)
  return (await source.resolve(linuxAmd64)).digests
}

async function codeOf(reference: string): Promise<string> {
  try {
    await digestsOf(reference)
    return 'accepted'
  } catch (error) {
    if (isRktError(error)) return error.code
    throw error
  }
}

test('a layout gives its images by tag, by full name and by digest, and names what there is otherwise', async (t) => {
  using place = temporaryDirectory()
  const { one, two, path } = makeLayout(place)
  t.deepEqual(await digestsOf(`oci:${path}:one`), [one.manifest.digest])
  t.is((await digestsOf(`oci:${path}:quay.io/me/two:v2`)).at(-1), two.manifest.digest)
  t.deepEqual(await digestsOf(`oci:${path}:${one.manifest.digest}`), [one.manifest.digest])
  const error = await t.throwsAsync(digestsOf(`oci:${path}`))
  t.true(isRktError(error, 'ambiguous') && error.hint?.includes('"one", "quay.io/me/two:v2"') === true, String(error))
  t.is(await codeOf(`oci:${path}:three`), 'not-found')
  t.is(await codeOf(`oci:${path}/missing`), 'not-found')
  t.is(await codeOf(`oci:${place.path}`), 'not-found')
})

test('an image of a layout is called as the layout says, by itself', async (t) => {
  using place = temporaryDirectory()
  const { path } = makeLayout(place)
  await using full = await openSource(`oci:${path}:quay.io/me/two:v2`)
  const named = await full.resolve(linuxAmd64)
  t.like(named, { name: 'quay.io/me/two', nameSource: 'self-declared', reference: undefined, fullName: { host: 'quay.io', repository: 'me/two', tag: 'v2' } })
  t.deepEqual(named.labels.map(({ value }) => value), ['v2'])
  await using tagged = await openSource(`oci:${path}:one`)
  t.like(await tagged.resolve(linuxAmd64), { name: 'localhost/layout', fullName: undefined })
})

test('an archive of a layout gives the same images, and blobs come byte for byte', async (t) => {
  using place = temporaryDirectory()
  const { one, path } = makeLayout(place)
  for (const format of ['ustar', 'pax', 'gnu']) {
    execFileSync('tar', ['-C', path, `--format=${format}`, '-cf', place.in(`${format}.tar`), '.'])
    await using source = await openSource(`oci-archive:${place.in(`${format}.tar`)}:one`)
    const { manifest } = reveal((await source.resolve(linuxAmd64)).image, 'check signature')
    mkdirSync(place.in(format))
    const received = await receiveBlobs(source, [manifest.config, ...manifest.layers], { into: place.in(format), signal: never })
    for (const { digest, bytes } of one.blobs) {
      const box = received.get(digest)
      t.is(box === undefined ? undefined : readFileSync(reveal(box, 'compare digest').path).compare(bytes), 0)
    }
  }
})

for (const [what, damage] of [
  ['a layer of other bytes', (path: string) => writeFileSync(path, 'A LAYER')],
  ['a layer cut short', (path: string) => truncateSync(path, 3)],
  ['a layer that goes on', (path: string) => writeFileSync(path, 'more', { flag: 'a' })],
  ['a link in place of a layer', (path: string) => (renameSync(path, `${path}.real`), symlinkSync(`${path}.real`, path))],
  ['a FIFO in place of a layer', (path: string) => (rmSync(path), execFileSync('mkfifo', [path]))],
  ['no layer', (path: string) => rmSync(path)],
] as const) {
  test(`a layout with ${what} is refused`, async (t) => {
    using place = temporaryDirectory()
    const { one, path } = makeLayout(place)
    const layer = one.blobs[1]
    if (layer === undefined) throw new Error('a crafted image has a layer')
    damage(`${path}/blobs/${layer.digest.replace(':', '/')}`)
    mkdirSync(place.in('into'))
    await using source = await openSource(`oci:${path}:one`)
    const error = await t.throwsAsync(source.receiveBlob(descriptorOf(layer), { into: place.in('into'), signal: never }))
    t.true(isRktError(error, 'corrupted', 'io', 'not-found'), String(error))
  })
}

test('a manifest in a layout that is not what its entry says is refused', async (t) => {
  using place = temporaryDirectory()
  const { one, path } = makeLayout(place)
  const file = `${path}/blobs/${one.manifest.digest.replace(':', '/')}`
  writeFileSync(file, Buffer.concat([one.manifest.bytes, Buffer.from(' ')]))
  t.is(await codeOf(`oci:${path}:one`), 'corrupted')
  writeFileSync(file, one.manifest.bytes)
  const index = JSON.parse(readFileSync(`${path}/index.json`, 'utf8'))
  index.manifests[0].size += 1
  writeFileSync(`${path}/index.json`, JSON.stringify(index))
  t.is(await codeOf(`oci:${path}:one`), 'corrupted')
})

test('a Docker archive gives its image, whose composed manifest is always the same', async (t) => {
  using place = temporaryDirectory()
  const path = makeDockerArchive(place)
  const [first] = await digestsOf(`docker-archive:${path}`)
  t.is(first, (await digestsOf(`docker-archive:${path}:example.com/app:1`))[0])
  await using source = await openSource(`docker-archive:${path}`)
  const resolved = await source.resolve(linuxAmd64)
  t.like(resolved, { name: 'example.com/app', nameSource: 'self-declared' })
  const { manifest } = reveal(resolved.image, 'check signature')
  t.is(manifest.layers[0]?.mediaType, ociMediaTypes.dockerLayer)
  t.is(manifest.layers[1]?.mediaType, ociMediaTypes.dockerLayerGzip)
  mkdirSync(place.in('into'))
  const received = await receiveBlobs(source, [manifest.config, ...manifest.layers], { into: place.in('into'), signal: never })
  for (const [digest, box] of received) t.is(sha256(readFileSync(reveal(box, 'compare digest').path)), digest)
  t.is(await codeOf(`docker-archive:${path}:other:1`), 'not-found')
})

/** As `docker save` writes it: the second layer is a link to a compressed file. */
function makeDockerArchive(place: TemporaryDirectory): string {
  const image = craftImage()
  const [config, layer] = image.blobs
  if (config === undefined || layer === undefined) throw new Error('a crafted image has a config and a layer')
  mkdirSync(place.in('da', 'a'), { recursive: true })
  writeFileSync(place.in('da', 'config.json'), config.bytes)
  writeFileSync(place.in('da', 'a', 'layer.tar'), Buffer.alloc(1024))
  writeFileSync(place.in('da', 'b.tar'), layer.bytes)
  symlinkSync('../b.tar', place.in('da', 'a', 'second.tar'))
  writeFileSync(place.in('da', 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: ['example.com/app:1'], Layers: ['a/layer.tar', 'a/second.tar'] }]))
  execFileSync('tar', ['-C', place.in('da'), '-cf', place.in('da.tar'), 'manifest.json', 'config.json', 'a', 'b.tar'])
  return place.in('da.tar')
}

test('damaged archives are refused', async (t) => {
  using place = temporaryDirectory()
  const { path } = makeLayout(place)
  const archive = place.in('a.tar')
  execFileSync('tar', ['-C', path, '-cf', archive, 'index.json', 'oci-layout', 'blobs'])
  const good = readFileSync(archive)
  const refused: [string, Buffer][] = [
    ['cut short', good.subarray(0, 1000)],
    ['without an end mark', good.subarray(0, good.byteLength - 10_240 + (good.byteLength % 10_240 === 0 ? 0 : 0)).subarray(0, 512)],
    ['with a wrong checksum', Buffer.concat([Buffer.from('X'), good.subarray(1)])],
    ['empty', Buffer.alloc(0)],
    ['no archive', Buffer.alloc(4096, 'x')],
  ]
  for (const [what, bytes] of refused) {
    writeFileSync(archive, bytes)
    t.is(await codeOf(`oci-archive:${archive}:one`), 'invalid-archive', what)
  }
  execFileSync('tar', ['-C', path, '-cf', archive, 'index.json', 'index.json', 'oci-layout', 'blobs'])
  t.is(await codeOf(`oci-archive:${archive}:one`), 'invalid-archive', 'the same name twice')
  execFileSync('tar', ['-C', path, '-czf', archive, '.'])
  t.is(await codeOf(`oci-archive:${archive}:one`), 'unsupported', 'compressed')
  execFileSync('tar', ['-C', place.path, '-cPf', archive, '--transform=s,^layout,..,', 'layout/index.json'])
  t.is(await codeOf(`oci-archive:${archive}:one`), 'invalid-archive', 'outside')
})

test('what is beside an image of a layout is found: cosign tags, and manifests with a subject', async (t) => {
  using place = temporaryDirectory()
  const image = craftImage()
  const payload = blob('{}', 'application/vnd.dev.cosign.simplesigning.v1+json')
  const config = json({}, ociMediaTypes.empty)
  const tagged = json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: named(config), layers: [named(payload)] }, ociMediaTypes.manifest)
  const referrer = json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, artifactType: 'application/x.test', config: named(config), layers: [named(payload)], subject: named(image.manifest) }, ociMediaTypes.manifest)
  const path = place.in('layout')
  mkdirSync(path)
  writeLayout(path, {
    blobs: [image.manifest, ...image.blobs, payload, config, tagged, referrer],
    entries: [{ ...named(image.manifest), annotations: { [refName]: 'v1' } }, { ...named(tagged), annotations: { [refName]: `${image.manifest.digest.replace(':', '-')}.sig` } }, { ...named(referrer), artifactType: 'application/x.test' }],
  })
  await using source = await openSource(`oci:${path}`)
  const [digest] = (await source.resolve(linuxAmd64)).digests
  if (digest === undefined) throw new Error('an image has a digest')
  t.is(String((await source.manifest(`${image.manifest.digest.replace(':', '-')}.sig`))?.digest), tagged.digest)
  t.deepEqual((await source.referrers(digest)).map((one) => String(one.digest)), [referrer.digest])
  t.deepEqual(await source.referrers(digest, 'application/x.other'), [])
  t.deepEqual(await source.smallBlob(descriptorOf(payload)), payload.bytes)
})
