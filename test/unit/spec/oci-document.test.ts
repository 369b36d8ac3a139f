import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { checkImageManifest, documentKind, ociMediaTypes, readOciDocument } from '../../../src/spec/index.ts'
import { craftImage, craftIndex, json, named, sha256 } from '../../support/oci-image.ts'

const { manifest, index, dockerManifest, dockerConfig, dockerLayerGzip, config, layer } = ociMediaTypes
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const part = (mediaType: string, more: object = {}): object => ({ mediaType, digest: sha256('x'), size: 1, ...more })
const good = { schemaVersion: 2, mediaType: manifest, config: part(config), layers: [part(layer)] }

test('readOciDocument() reads manifests and indexes of OCI and of Docker', (t) => {
  const image = craftImage()
  const read = readOciDocument(image.manifest.bytes, manifest)
  t.is(read.kind, 'manifest')
  if (read.kind === 'manifest') t.deepEqual(read.layers.map(({ digest }) => String(digest)), image.blobs.slice(1).map(({ digest }) => digest))
  const list = readOciDocument(craftIndex([{ document: image.manifest, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }]).bytes, index)
  t.deepEqual(list.kind === 'index' ? list.manifests[0]?.platform : undefined, { os: 'linux', architecture: 'arm', variant: 'v7' })
  const docker = { schemaVersion: 2, mediaType: dockerManifest, config: part(dockerConfig), layers: [part(dockerLayerGzip)] }
  t.is(readOciDocument(bytesOf(docker), dockerManifest).mediaType, dockerManifest)
})

test('readOciDocument() takes the type of OCI from the announcement, and of any document from the document when nothing is announced', (t) => {
  const { mediaType: _type, ...untyped } = good
  t.is(readOciDocument(bytesOf(untyped), manifest).kind, 'manifest')
  for (const announced of ['', 'application/json', 'application/octet-stream', 'text/plain']) t.is(readOciDocument(bytesOf(good), announced).mediaType, manifest)
})

for (const [what, value, announced, code] of [
  ['an image that also lists manifests', { ...good, manifests: [] }, manifest, 'invalid-manifest'],
  ['an index that also has layers', { schemaVersion: 2, mediaType: index, manifests: [], layers: [] }, index, 'invalid-manifest'],
  ['an index with members of schema 1', { schemaVersion: 2, mediaType: index, manifests: [], fsLayers: [] }, index, 'invalid-manifest'],
  ['an image that is announced as an index', good, index, 'invalid-manifest'],
  ['an index that calls itself an image', { schemaVersion: 2, mediaType: manifest, manifests: [] }, index, 'invalid-manifest'],
  ['a Docker manifest without a type', { ...good, mediaType: undefined }, dockerManifest, 'invalid-manifest'],
  ['an OCI manifest without any type', { ...good, mediaType: undefined }, 'application/json', 'invalid-manifest'],
  ['a document of another type', { ...good, mediaType: 'application/vnd.oci.image.config.v1+json' }, '', 'invalid-manifest'],
  ['a page', good, 'text/html', 'invalid-manifest'],
  ['schema 1 by its type', { schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'unsupported'],
  ['schema 1 by its version', { schemaVersion: 1, name: 'x', fsLayers: [] }, 'application/json', 'unsupported'],
  ['schema 3', { ...good, schemaVersion: 3 }, manifest, 'invalid-manifest'],
  ['a member in other case', { ...good, Layers: [] }, manifest, 'invalid-manifest'],
  ['a size below zero', { ...good, layers: [part(layer, { size: -1 })] }, manifest, 'invalid-manifest'],
  ['a size that is no whole number', { ...good, layers: [part(layer, { size: 1.5 })] }, manifest, 'invalid-manifest'],
  ['a list of a thousand and one layers', { ...good, layers: Array(1001).fill(part(layer)) }, manifest, 'invalid-manifest'],
  ['something that is no object', [], manifest, 'invalid-manifest'],
] as const) {
  test(`readOciDocument() refuses ${what}`, (t) => {
    const error = t.throws(() => readOciDocument(bytesOf(value), announced))
    t.true(isRktError(error, code), String(error))
  })
}

for (const digest of ['sha256:../../../tmp/victim/hello', `sha256:${'a'.repeat(63)}`, `sha256:${'A'.repeat(64)}`, `sha1:${'a'.repeat(40)}`, `sha512:${'a'.repeat(64)}`, `sha256:${'a'.repeat(65)}`, `sha256:${'a'.repeat(64)}\n`, '', 7]) {
  test(`A14: readOciDocument() refuses the digest ${JSON.stringify(digest)} of a layer, of the config, and of an entry`, (t) => {
    for (const value of [
      { ...good, layers: [part(layer, { digest })] },
      { ...good, config: part(config, { digest }) },
      { schemaVersion: 2, mediaType: index, manifests: [part(manifest, { digest })] },
    ]) {
      const error = t.throws(() => readOciDocument(bytesOf(value), ''))
      t.true(isRktError(error, 'invalid-manifest'), String(error))
    }
  })
}

test('readOciDocument() refuses duplicate keys, trailing bytes, bad UTF-8 and deep nesting', (t) => {
  const text = JSON.stringify(good)
  for (const bytes of [text.replace('{', `{"layers":[],`), `${text}{}`, Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"x":"'), Buffer.of(0xff), Buffer.from('"}')]), `${text.slice(0, -1)},"x":${'['.repeat(100)}${']'.repeat(100)}}`]) {
    t.true(isRktError(t.throws(() => readOciDocument(Buffer.from(bytes), manifest)), 'invalid-json', 'limit-exceeded'))
  }
})

test('checkImageManifest() accepts images and refuses foreign layers, unknown layers, other artifacts and mixtures', (t) => {
  const check = (changes: object): void => {
    const read = readOciDocument(bytesOf({ ...good, ...changes }), manifest)
    if (read.kind === 'manifest') checkImageManifest(read)
  }
  t.notThrows(() => check({}))
  for (const [changes, code] of [
    [{ layers: [part('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip')] }, 'unsupported'],
    [{ layers: [part('application/vnd.oci.image.layer.nondistributable.v1.tar+zstd')] }, 'unsupported'],
    [{ layers: [part(layer, { urls: ['https://elsewhere.example/'] })] }, 'unsupported'],
    [{ config: part(config, { urls: ['https://elsewhere.example/'] }) }, 'unsupported'],
    [{ layers: [part('application/vnd.example')] }, 'invalid-manifest'],
    [{ layers: [] }, 'invalid-manifest'],
    [{ layers: Array(257).fill(part(layer)) }, 'limit-exceeded'],
    [{ config: part(config, { size: 5_000_000 }) }, 'limit-exceeded'],
    [{ config: part('application/vnd.oci.empty.v1+json') }, 'invalid-manifest'],
    [{ config: part(dockerConfig) }, 'invalid-manifest'],
  ] as const) {
    t.true(isRktError(t.throws(() => check(changes)), code), JSON.stringify(changes).slice(0, 200))
  }
})

test('documentKind() knows four types', (t) => {
  t.deepEqual(Object.values(ociMediaTypes).filter((type) => documentKind(type) !== undefined).length, 4)
  t.is(documentKind(named(json({}, 'application/json')).mediaType), undefined)
})
