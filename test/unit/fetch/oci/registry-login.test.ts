import test from 'ava'
import { readFileSync } from 'node:fs'
import { isRktError, reveal } from '../../../../src/base/index.ts'
import { openOciTarget, parseOciReference } from '../../../../src/fetch/index.ts'
import { ociMediaTypes } from '../../../../src/spec/index.ts'
import { serveRegistry, type FakeRegistry, type Misbehaviour } from '../../../support/fake-registry.ts'
import { serveHttp, serveHttps, type TestServer } from '../../../support/https.ts'
import { blob, craftImage } from '../../../support/oci-image.ts'
import { descriptorOf, linuxAmd64, openSource, sourceOptions, type OpenSourceOptions } from '../../../support/oci-source.ts'
import { temporaryDirectory } from '../../../support/temp.ts'

const logins = { find: (host: string) => (host.startsWith('localhost:') ? { user: 'ann', password: 'secret' } : undefined) }
const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`

/** Wants to be shown `wanted`, and says so with `challenge`. */
function locked(wanted: string, challenge: () => string): Misbehaviour {
  return (request, response) => {
    if (request.headers.authorization === wanted) return false
    response.writeHead(401, { 'WWW-Authenticate': challenge() }).end()
    return true
  }
}

function resolve(registry: FakeRegistry, options: OpenSourceOptions = {}): Promise<unknown> {
  return (async () => {
    await using source = await openSource(`docker://${registry.host}/app:v1`, { caFiles: [registry.authority.caFile], ...options })
    return await source.resolve(linuxAmd64)
  })()
}

interface TokenService extends AsyncDisposable {
  readonly origin: string
  readonly asked: { readonly scopes: readonly string[]; readonly query: Readonly<Record<string, string>>; readonly authorization: string | undefined }[]
}

async function serveTokens(registry: FakeRegistry, answer: object = { token: 'abc' }): Promise<TokenService> {
  const asked: TokenService['asked'] = []
  const server: TestServer = await serveHttps(registry.authority, (request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'https://localhost')
    asked.push({ scopes: searchParams.getAll('scope'), query: Object.fromEntries(searchParams), authorization: request.headers.authorization })
    response.writeHead(200).end(JSON.stringify(answer))
  })
  return { origin: server.origin, asked, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

test('a password is shown to a registry that asks for one, and only then', async (t) => {
  await using registry = await serveRegistry(locked(basic, () => 'Basic realm="here"'))
  registry.add(craftImage(), 'v1')
  await t.notThrowsAsync(resolve(registry, { logins }))
  t.deepEqual(registry.asked.map(({ authorization }) => authorization), [undefined, basic])
})

test('a registry that wants a password which nobody configured is told to the user with the way to give it', async (t) => {
  await using registry = await serveRegistry(locked(basic, () => 'Basic realm="here"'))
  const error = await t.throwsAsync(resolve(registry))
  t.true(isRktError(error, 'http-status') && error.hint?.includes('auth.d') === true, String(error))
  t.true(isRktError(await t.throwsAsync(resolve(registry, { logins: { find: () => ({ user: 'ann', password: 'wrong' }) } })), 'http-status'))
})

test('the basic credential of a host serves where there is no login for its registry', async (t) => {
  await using registry = await serveRegistry(locked(basic, () => 'Basic realm="here"'))
  registry.add(craftImage(), 'v1')
  const credentials = { now: () => 0, find: (host: string) => (host === registry.host ? ({ type: 'basic', user: 'ann', password: 'secret' } as const) : undefined) }
  await t.notThrowsAsync(resolve(registry, { credentials }))
})

test('a token is fetched for exactly this repository, with the password for the token service and the token for the registry', async (t) => {
  let origin = ''
  await using registry = await serveRegistry(locked('Bearer abc', () => `Bearer realm="${origin}/token?a=b",service="reg",scope="repository:other:push"`))
  registry.add(craftImage(), 'v1')
  await using tokens = await serveTokens(registry, { access_token: 'abc', expires_in: 300 })
  origin = tokens.origin
  await t.notThrowsAsync(resolve(registry, { logins }))
  t.like(tokens.asked[0], { query: { a: 'b', service: 'reg', scope: 'repository:app:pull' }, authorization: basic })
  t.deepEqual(registry.asked.map(({ authorization }) => authorization), [undefined, 'Bearer abc'])
})

test('a push asks for the right to write, and to read where a blob is taken over from', async (t) => {
  let origin = ''
  await using registry = await serveRegistry((request, response, own) => {
    if (locked('Bearer abc', () => `Bearer realm="${origin}/token"`)(request, response, own)) return true
    if (request.method === 'POST') response.writeHead(201).end()
    return request.method === 'POST'
  })
  await using tokens = await serveTokens(registry)
  origin = tokens.origin
  await using target = await openOciTarget(parseOciReference(`docker://${registry.host}/app:v1`, { cwd: '/' }), sourceOptions({ caFiles: [registry.authority.caFile] }))
  await target.putFile(descriptorOf(blob('a layer', ociMediaTypes.layer)), '/nonexistent', { mountFrom: 'other' })
  t.deepEqual(tokens.asked.map(({ scopes }) => scopes), [['repository:app:pull,push'], ['repository:app:pull,push', 'repository:other:pull']])
})

test('without a login the token service is asked without one', async (t) => {
  let origin = ''
  await using registry = await serveRegistry(locked('Bearer abc', () => `Bearer realm="${origin}/token",service="reg"`))
  registry.add(craftImage(), 'v1')
  await using tokens = await serveTokens(registry)
  origin = tokens.origin
  await t.notThrowsAsync(resolve(registry))
  t.is(tokens.asked[0]?.authorization, undefined)
})

for (const [what, realm] of [
  ['over plain http', 'http://localhost:1/token'],
  ['with a user in its URL', 'https://ann:secret@localhost:1/token'],
  ['by another scheme', 'file:///etc/passwd'],
] as const) {
  test(`a token service ${what} is not asked`, async (t) => {
    await using registry = await serveRegistry(locked('Bearer abc', () => `Bearer realm="${realm}"`))
    t.true(isRktError(await t.throwsAsync(resolve(registry, { logins, insecure: { http: true, tls: false } })), 'policy-refused'))
  })
}

for (const [what, answer] of [
  ['no token', {}],
  ['a token that would add a header', { token: 'a\r\nX-Evil: b' }],
  ['a token that is no text', { token: 7 }],
] as const) {
  test(`an answer of the token service with ${what} is refused`, async (t) => {
    let origin = ''
    await using registry = await serveRegistry(locked('Bearer abc', () => `Bearer realm="${origin}/token"`))
    await using tokens = await serveTokens(registry, answer)
    origin = tokens.origin
    t.true(isRktError(await t.throwsAsync(resolve(registry)), 'invalid-json'))
  })
}

test('D13: a token service without end is given up', async (t) => {
  let origin = ''
  await using registry = await serveRegistry(locked('Bearer abc', () => `Bearer realm="${origin}/token"`))
  await using tokens = await serveTokens(registry, { token: 'x'.repeat(100_000) })
  origin = tokens.origin
  t.true(isRktError(await t.throwsAsync(resolve(registry)), 'limit-exceeded'))
})

test('a redirect of a blob to another host is followed without what was shown to the registry', async (t) => {
  const content = blob('a layer', ociMediaTypes.layer)
  const seen: (string | undefined)[] = []
  let elsewhere = ''
  await using registry = await serveRegistry((request, response, own) => {
    if (locked(basic, () => 'Basic realm="here"')(request, response, own)) return true
    if (request.url?.includes('/blobs/') !== true) return false
    response.writeHead(307, { Location: `${elsewhere}/blob` }).end()
    return true
  })
  await using storage = await serveHttps(registry.authority, (request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(200, { 'Content-Length': content.size }).end(content.bytes)
  })
  elsewhere = storage.origin
  using place = temporaryDirectory()
  await using source = await openSource(`docker://${registry.host}/app`, { caFiles: [registry.authority.caFile], logins })
  const received = reveal(await source.receiveBlob(descriptorOf(content), { into: place.path, signal: new AbortController().signal }), 'compare digest')
  t.is(readFileSync(received.path, 'utf8'), 'a layer')
  t.deepEqual(seen, [undefined])
})

test('a storage that a registry led to gets no password even when it asks for one', async (t) => {
  const seen: (string | undefined)[] = []
  let elsewhere = ''
  await using registry = await serveRegistry((_request, response) => (response.writeHead(307, { Location: `${elsewhere}/x` }).end(), true))
  await using storage = await serveHttps(registry.authority, (request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="give"' }).end()
  })
  elsewhere = storage.origin
  t.true(isRktError(await t.throwsAsync(resolve(registry, { logins })), 'http-status'))
  t.deepEqual(seen, [undefined])
})

test('D13: a redirect from https to http is refused', async (t) => {
  const seen: string[] = []
  await using plain = await serveHttp((request, response) => {
    seen.push(request.url ?? '')
    response.writeHead(200).end()
  })
  await using registry = await serveRegistry((_request, response) => (response.writeHead(307, { Location: `${plain.origin}/x` }).end(), true))
  t.true(isRktError(await t.throwsAsync(resolve(registry, { insecure: { http: true, tls: false } })), 'policy-refused'))
  t.deepEqual(seen, [])
})

test('a password is not sent over plain http unless the protection of TLS is given up too', async (t) => {
  const seen: (string | undefined)[] = []
  const image = craftImage()
  await using server = await serveHttp((request, response) => {
    seen.push(request.headers.authorization)
    if (request.headers.authorization !== basic) return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="here"' }).end()
    response.writeHead(200, { 'Content-Type': image.manifest.mediaType }).end(image.manifest.bytes)
  })
  const reference = `docker://${new URL(server.origin).host}/app:v1`
  await using source = await openSource(reference, { logins, insecure: { http: true, tls: false } })
  t.true(isRktError(await t.throwsAsync(source.resolve(linuxAmd64), { message: /over https only/ }), 'http-status'))
  t.deepEqual(seen, [undefined])
  await using open = await openSource(reference, { logins, insecure: { http: true, tls: true } })
  await t.notThrowsAsync(open.resolve(linuxAmd64))
})
