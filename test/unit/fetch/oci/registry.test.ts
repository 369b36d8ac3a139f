import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { isRktError, limits, reveal } from '../../../../src/base/index.ts'
import { receiveBlobs, type OciSource } from '../../../../src/fetch/index.ts'
import { ociMediaTypes } from '../../../../src/spec/index.ts'
import { serveRegistry, sendBlob, type FakeRegistry, type Misbehaviour } from '../../../support/fake-registry.ts'
import { serveHttp } from '../../../support/https.ts'
import { blob, craftImage, craftIndex, json, named, sha256 } from '../../../support/oci-image.ts'
import { descriptorOf, linuxAmd64, openSource, type OpenSourceOptions } from '../../../support/oci-source.ts'
import { temporaryDirectory } from '../../../support/temp.ts'

const never = new AbortController().signal

function open(registry: FakeRegistry, options: OpenSourceOptions & { readonly reference?: string } = {}): Promise<OciSource> {
  const { reference = 'app:v1', ...rest } = options
  return openSource(`docker://${registry.host}/${reference}`, { caFiles: [registry.authority.caFile], ...rest })
}

test('an image is resolved by tag and by digest, and its blobs are received', async (t) => {
  await using registry = await serveRegistry()
  using place = temporaryDirectory()
  const image = craftImage({ layers: [Buffer.from('one'), Buffer.from('two'), Buffer.from('one')] })
  registry.add(image, 'v1')
  for (const reference of ['app:v1', `app@${image.manifest.digest}`]) {
    await using source = await open(registry, { reference })
    const resolved = await source.resolve(linuxAmd64)
    t.deepEqual(resolved.digests.map(String), [image.manifest.digest])
    t.is(String(resolved.name), `${registry.host.replace(':', '~')}/app`)
    t.deepEqual(resolved.labels.map(({ value }) => value), reference === 'app:v1' ? ['v1'] : [])
    const { manifest } = reveal(resolved.image, 'check signature')
    const progress: number[] = []
    const received = await receiveBlobs(source, [manifest.config, ...manifest.layers], { into: place.path, signal: never, onProgress: ({ doneBytes }) => void progress.push(doneBytes) })
    t.is(received.size, 3)
    t.is(progress.at(-1), [manifest.config, ...manifest.layers.slice(0, 2)].reduce((sum, { size }) => sum + size, 0))
    for (const [digest, box] of received) t.is(sha256(readFileSync(reveal(box, 'compare digest').path)), digest)
  }
})

test('an index leads to the image of the platform, and both digests are given', async (t) => {
  await using registry = await serveRegistry()
  const [amd, arm] = [craftImage(), craftImage({ architecture: 'arm64' })]
  registry.add(amd, 'amd')
  registry.add(arm, 'arm')
  const index = craftIndex([{ document: arm.manifest, platform: { os: 'linux', architecture: 'arm64' } }, { document: amd.manifest, platform: { os: 'linux', architecture: 'amd64' } }])
  registry.manifests.set('v1', index)
  await using source = await open(registry)
  const resolved = await source.resolve(linuxAmd64)
  t.deepEqual(resolved.digests.map(String), [index.digest, amd.manifest.digest])
  t.deepEqual(reveal(resolved.image, 'check signature').platform, linuxAmd64)
})

for (const [what, misbehave, code] of [
  ['other bytes than the digest in the index', (request, response, registry) => serves(request.url, { at: '/manifests/sha256:', with: craftImage({ layers: [Buffer.from('evil')] }).manifest, response, registry }), 'corrupted'],
  ['a manifest under a digest that it says itself, and does not have', (request, response) => announces(request.url, response), 'corrupted'],
  ['a manifest without end', (request, response) => endless(request.url, { at: '/manifests/', response }), 'limit-exceeded'],
  ['a page in place of a manifest', (request, response) => page(request.url, response), 'invalid-manifest'],
  ['status 403', (_request, response) => (response.writeHead(403).end(), true), 'http-status'],
  ['nothing under that tag', (_request, response) => (response.writeHead(404).end(), true), 'not-found'],
  ['a manifest of schema 1', (_request, response) => (response.writeHead(200, { 'Content-Type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' }).end('{"schemaVersion":1}'), true), 'unsupported'],
] satisfies readonly (readonly [string, Misbehaviour, string])[]) {
  test(`resolve() refuses a registry that sends ${what}`, async (t) => {
    await using registry = await serveRegistry(misbehave)
    const image = craftImage()
    registry.add(image, 'amd')
    registry.manifests.set('v1', craftIndex([{ document: image.manifest, platform: { os: 'linux', architecture: 'amd64' } }]))
    await using source = await open(registry)
    const error = await t.throwsAsync(source.resolve(linuxAmd64))
    t.true(isRktError(error) && error.code === code, String(error))
  })
}

interface Serving {
  readonly at: string
  readonly response: Parameters<Misbehaviour>[1]
}

function serves(url: string | undefined, { at, with: document, response }: Serving & { readonly with: ReturnType<typeof blob>; readonly registry: FakeRegistry }): boolean {
  if (url?.includes(at) !== true) return false
  sendBlob(response, { blob: document, range: undefined })
  return true
}

function announces(url: string | undefined, response: Serving['response']): boolean {
  if (url?.includes('/manifests/v1') !== true) return false
  const { manifest } = craftImage()
  response.writeHead(200, { 'Content-Type': manifest.mediaType, 'Docker-Content-Digest': sha256('another') }).end(manifest.bytes)
  return true
}

function endless(url: string | undefined, { at, response }: Serving): boolean {
  if (url?.includes(at) !== true) return false
  response.writeHead(200, { 'Content-Type': ociMediaTypes.manifest })
  const chunk = Buffer.alloc(65_536, ' ')
  const send = (): void => {
    while (!response.destroyed && response.write(chunk)) continue
    if (!response.destroyed) response.once('drain', send)
  }
  send()
  return true
}

function page(url: string | undefined, response: Serving['response']): boolean {
  if (url?.includes('/manifests/') !== true) return false
  response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>hello</p>')
  return true
}

test('resolve() refuses an entry whose size or media type is not that of the child', async (t) => {
  const image = craftImage()
  for (const changes of [{ size: image.manifest.size + 1 }, { mediaType: ociMediaTypes.dockerManifest }, { mediaType: ociMediaTypes.index }]) {
    await using registry = await serveRegistry()
    registry.add(image, 'amd')
    const entry = { ...named(image.manifest), platform: { os: 'linux', architecture: 'amd64' }, ...changes }
    registry.manifests.set('v1', json({ schemaVersion: 2, mediaType: ociMediaTypes.index, manifests: [entry] }, ociMediaTypes.index))
    await using source = await open(registry)
    t.true(isRktError(await t.throwsAsync(source.resolve(linuxAmd64)), 'corrupted', 'invalid-manifest'), JSON.stringify(changes))
  }
})

test('resolve() refuses indexes of indexes past the limit', async (t) => {
  await using registry = await serveRegistry()
  const image = craftImage()
  registry.add(image, 'amd')
  let document = image.manifest
  for (let depth = 0; depth < limits.indexDepth; depth += 1) {
    document = craftIndex([{ document, platform: { os: 'linux', architecture: 'amd64' } }])
    registry.manifests.set(document.digest, document)
  }
  registry.manifests.set('v1', document)
  await using source = await open(registry)
  t.true(isRktError(await t.throwsAsync(source.resolve(linuxAmd64)), 'limit-exceeded'))
})

test('D17: a blob that is another one the second time is refused, and nothing of it stays', async (t) => {
  const evil = blob(Buffer.alloc(2_000_000, 'evil'), ociMediaTypes.layer)
  let times = 0
  await using registry = await serveRegistry((request, response) => {
    if (request.url?.includes('/blobs/') !== true) return false
    times += 1
    if (times > 1) sendBlob(response, { blob: evil, range: request.headers.range })
    return times > 1
  })
  using place = temporaryDirectory()
  using partials = temporaryDirectory()
  const good = blob(Buffer.alloc(2_000_000, 'good'), ociMediaTypes.layer)
  registry.blobs.set(good.digest, good)
  await using source = await open(registry)
  const descriptor = descriptorOf(good)
  const first = reveal(await source.receiveBlob(descriptor, { into: place.path, partials: partials.path, signal: never }), 'compare digest')
  t.is(sha256(readFileSync(first.path)), good.digest)
  const error = await t.throwsAsync(source.receiveBlob(descriptor, { into: place.path, partials: partials.path, signal: never }))
  t.true(isRktError(error, 'corrupted'), String(error))
  t.deepEqual(readdirSync(partials.path), [])
})


for (const [what, misbehave, code] of [
  ['is longer than its descriptor says, without saying so', (_request, response) => void response.writeHead(200).end(Buffer.alloc(3_000_000)), 'corrupted'],
  ['announces another length', (_request, response) => void response.writeHead(200, { 'Content-Length': 5 }).end('short'), 'corrupted'],
  ['ends early, as its own length says', (_request, response) => void response.writeHead(200).end('short'), 'corrupted'],
  ['is not there', (_request, response) => void response.writeHead(404).end(), 'not-found'],
  ['is forbidden', (_request, response) => void response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"no\\u001b[31m"}]}'), 'http-status'],
] satisfies readonly (readonly [string, (...args: readonly [unknown, Serving['response']]) => void, string])[]) {
  test(`a blob that ${what} is refused as ${code}`, async (t) => {
    await using registry = await serveRegistry((request, response) => {
      if (request.url?.includes('/blobs/') !== true) return false
      misbehave(request, response)
      return true
    })
    using place = temporaryDirectory()
    await using source = await open(registry)
    const descriptor = descriptorOf(blob(Buffer.alloc(2_000_000, 'good'), ociMediaTypes.layer))
    const error = await t.throwsAsync(source.receiveBlob(descriptor, { into: place.path, signal: never }))
    t.true(isRktError(error) && error.code === code, String(error))
    t.false(error.message.includes('\u001b'), 'nothing of a registry reaches the terminal raw')
  })
}

test('a download that is cut off goes on where it ended, in the same process and in the next one', async (t) => {
  const big = blob(Buffer.alloc(3_000_000, 'abcdefg'), ociMediaTypes.layer)
  let cuts = 1
  await using registry = await serveRegistry((request, response) => {
    if (request.url?.includes('/blobs/') !== true || cuts === 0) return false
    cuts -= 1
    response.writeHead(200, { 'Content-Length': big.size })
    response.write(big.bytes.subarray(0, 2_000_000), () => response.destroy())
    return true
  })
  registry.blobs.set(big.digest, big)
  using place = temporaryDirectory()
  using partials = temporaryDirectory()
  const options = { into: place.path, partials: partials.path, signal: never }
  await using source = await open(registry)
  t.is(readFileSync(reveal(await source.receiveBlob(descriptorOf(big), options), 'compare digest').path).compare(big.bytes), 0)
  t.true(registry.asked.some(({ range }) => range !== undefined && range !== 'bytes=0-'))

  const ended = new AbortController()
  const first = source.receiveBlob(descriptorOf(big), { ...options, signal: ended.signal, onBytes: (bytes) => bytes > 1_000_000 && ended.abort(new Error('interrupted')) })
  await t.throwsAsync(first, { message: 'interrupted' })
  registry.asked.splice(0)
  t.is(readFileSync(reveal(await source.receiveBlob(descriptorOf(big), options), 'compare digest').path).compare(big.bytes), 0)
  t.regex(registry.asked[0]?.range ?? '', /^bytes=[1-9][0-9]*-$/)
  t.deepEqual(readdirSync(partials.path), [])
})

test('what an earlier process got from a server that lied is thrown away, and the blob received whole', async (t) => {
  const big = blob(Buffer.alloc(3_000_000, 'abcdefg'), ociMediaTypes.layer)
  let lies = true
  await using registry = await serveRegistry((request, response) => {
    if (request.url?.includes('/blobs/') !== true || !lies) return false
    response.writeHead(200, { 'Content-Length': big.size })
    response.write(Buffer.alloc(2_000_000, 'lie'))
    return true
  })
  registry.blobs.set(big.digest, big)
  using place = temporaryDirectory()
  using partials = temporaryDirectory()
  const options = { into: place.path, partials: partials.path, signal: never }
  await using source = await open(registry)
  const ended = new AbortController()
  await t.throwsAsync(source.receiveBlob(descriptorOf(big), { ...options, signal: ended.signal, onBytes: (bytes) => bytes > 1_000_000 && ended.abort(new Error('interrupted')) }))
  lies = false
  t.is(readFileSync(reveal(await source.receiveBlob(descriptorOf(big), options), 'compare digest').path).compare(big.bytes), 0)
})

test('a registry that is busy or broken for a moment is asked again, and one that stays so is given up', async (t) => {
  let left = 2
  await using registry = await serveRegistry((_request, response) => {
    if (left === 0) return false
    left -= 1
    response.writeHead(left === 1 ? 429 : 503, { 'Retry-After': '0' }).end()
    return true
  })
  registry.add(craftImage(), 'v1')
  await using source = await open(registry)
  await t.notThrowsAsync(source.resolve(linuxAmd64))
  left = 1000
  t.true(isRktError(await t.throwsAsync(source.resolve(linuxAmd64)), 'http-status'))
  t.is(1000 - left, limits.registryAttempts)
})

for (const [what, misbehave] of [
  ['says nothing', () => true],
  ['stops in the middle of a manifest', (_request, response) => (response.writeHead(200, { 'Content-Length': 500 }).write('{'), true)],
  ['sends a byte at a time', (_request, response) => drip(response)],
] satisfies readonly (readonly [string, Misbehaviour])[]) {
  test(`D25: a registry that ${what} is given up within the limit`, async (t) => {
    await using registry = await serveRegistry(misbehave)
    await using source = await open(registry, { idleMs: 400 })
    const start = performance.now()
    const error = await t.throwsAsync(source.resolve(linuxAmd64))
    t.true(isRktError(error, 'timeout'), String(error))
    t.true(performance.now() - start < 5000)
  })
}

function drip(response: Serving['response']): boolean {
  response.writeHead(200, { 'Content-Type': ociMediaTypes.manifest })
  const timer = setInterval(() => response.write(' '), 50)
  response.on('close', () => clearInterval(timer))
  return true
}

test('a command that is interrupted ends its requests at once', async (t) => {
  const ended = new AbortController()
  await using registry = await serveRegistry((request) => {
    if (registry.asked.length === limits.parallelBlobs) ended.abort(new Error('interrupted'))
    return request.url?.includes('/blobs/') === true
  })
  using place = temporaryDirectory()
  const blobs = [1, 2, 3, 4, 5, 6].map((byte) => descriptorOf(blob(Buffer.alloc(10, byte), ociMediaTypes.layer)))
  await using source = await open(registry)
  await t.throwsAsync(receiveBlobs(source, blobs, { into: place.path, signal: ended.signal }), { message: 'interrupted' })
  t.is(registry.asked.length, limits.parallelBlobs)
})

test('the first failure of several downloads ends the others', async (t) => {
  await using registry = await serveRegistry((request, response) => {
    if (request.url?.includes('/blobs/') !== true) return false
    if (registry.asked.length === limits.parallelBlobs) response.writeHead(404).end()
    return true
  })
  using place = temporaryDirectory()
  const blobs = [1, 2, 3, 4, 5, 6].map((byte) => descriptorOf(blob(Buffer.alloc(10, byte), ociMediaTypes.layer)))
  await using source = await open(registry)
  t.true(isRktError(await t.throwsAsync(receiveBlobs(source, blobs, { into: place.path, signal: never })), 'not-found'))
})

test('a registry of plain http is refused by name, and used where the user allows it', async (t) => {
  const image = craftImage()
  await using server = await serveHttp((request, response) => {
    if (request.url === '/v2/app/manifests/v1') sendBlob(response, { blob: image.manifest, range: undefined })
    else response.writeHead(404).end()
  })
  const reference = `docker://${new URL(server.origin).host}/app:v1`
  await using strict = await openSource(reference)
  const error = await t.throwsAsync(strict.resolve(linuxAmd64))
  t.true(isRktError(error, 'tls') && error.hint?.includes('--insecure-options=http') === true, String(error))
  await using allowed = await openSource(reference, { insecure: { tls: false, http: true } })
  await t.notThrowsAsync(allowed.resolve(linuxAmd64))
})

test('a registry whose certificate nobody vouches for is refused, and used with --insecure-options=tls', async (t) => {
  await using registry = await serveRegistry()
  registry.add(craftImage(), 'v1')
  await using strict = await open(registry, { caFiles: [] })
  t.true(isRktError(await t.throwsAsync(strict.resolve(linuxAmd64)), 'tls'))
  await using allowed = await open(registry, { caFiles: [], insecure: { tls: true, http: false } })
  await t.notThrowsAsync(allowed.resolve(linuxAmd64))
})
