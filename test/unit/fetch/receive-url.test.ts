import test, { type ExecutionContext } from 'ava'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { reveal, silentLog, type ReceivedBlob } from '../../../src/base/index.ts'
import { receiveSignature, receiveUrl, signatureURL, type ReceiveUrlOptions, type UrlAnswer } from '../../../src/fetch/index.ts'
import { makeAuthority, serveHttp, serveHttps, type TestAuthority } from '../../support/https.ts'
import { refusalOf } from '../../support/store.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temp.ts'

const authority: TestAuthority = makeAuthority()
test.after.always(() => authority[Symbol.dispose]())

const content = randomBytes(300_000)

/** Directories for one download. */
interface Download extends Disposable {
  readonly options: ReceiveUrlOptions
  readonly place: TemporaryDirectory
}

function openDownload(overrides: Partial<ReceiveUrlOptions> = {}): Download {
  const place = temporaryDirectory()
  mkdirSync(place.in('into'))
  mkdirSync(place.in('partials'))
  const options: ReceiveUrlOptions = {
    into: place.in('into'),
    partials: place.in('partials'),
    signal: new AbortController().signal,
    log: silentLog,
    userAgent: 'rkt/test',
    insecure: { tls: false, http: false },
    caFiles: [authority.caFile],
    idleMs: 20_000,
    ...overrides,
  }
  return { options, place, [Symbol.dispose]: () => place[Symbol.dispose]() }
}

function checkReceived(t: ExecutionContext, answer: UrlAnswer, { place }: Download): void {
  if (answer.kind !== 'received') return t.fail(answer.kind)
  const blob: ReceivedBlob = reveal(answer.blob, 'check signature')
  t.is(blob.path, place.in('into', 'blob'))
  t.true(readFileSync(blob.path).equals(content))
  t.is(blob.sizeBytes, content.byteLength)
  t.deepEqual(Buffer.from(blob.digests.sha512), createHash('sha512').update(content).digest())
  t.deepEqual(readdirSync(place.in('partials')), [])
}

/** Serves `content` with ranges; the first `breaks` answers end after 100,000 bytes. */
function resumable(options: { breaks: number; etag: () => string; requests: IncomingMessage[] }): RequestListener {
  return (request, response) => {
    options.requests.push(request)
    const etag = options.etag()
    const start = request.headers['if-range'] === etag ? Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
    const head = { ETag: etag, 'Accept-Ranges': 'bytes', 'Content-Length': content.byteLength - start }
    if (start > 0) response.writeHead(206, { ...head, 'Content-Range': `bytes ${start}-${content.byteLength - 1}/${content.byteLength}` })
    else response.writeHead(200, head)
    if (options.breaks > 0) {
      options.breaks -= 1
      response.write(content.subarray(start, start + 100_000), () => setTimeout(() => response.destroy(), 50))
    } else response.end(content.subarray(start))
  }
}

test('receiveUrl() stores what the server sends', async (t) => {
  await using server = await serveHttps(authority, (_, response) => response.end(content))
  using download = openDownload()
  const seen: number[] = []
  checkReceived(t, await receiveUrl(`${server.origin}/x.aci`, { ...download.options, onProgress: ({ doneBytes }) => seen.push(doneBytes) }), download)
  t.is(seen.at(-1), content.byteLength)
})

test('receiveUrl() says who it is and asks for the bytes as they are', async (t) => {
  const requests: IncomingMessage[] = []
  await using server = await serveHttps(authority, (request, response) => {
    requests.push(request)
    response.end(content)
  })
  using download = openDownload()
  await receiveUrl(`${server.origin}/x.aci`, download.options)
  t.is(requests[0]?.headers['user-agent'], 'rkt/test')
  t.is(requests[0]?.headers['accept-encoding'], 'identity')
  t.is(requests[0]?.headers.authorization, undefined)
})

test('receiveUrl() goes on with an interrupted download, again and again', async (t) => {
  const state = { breaks: 2, etag: () => '"one"', requests: [] as IncomingMessage[] }
  await using server = await serveHttps(authority, resumable(state))
  using download = openDownload()
  const url = `${server.origin}/x.aci`
  t.regex(await refusalOf(() => receiveUrl(url, download.options)), /^network: .*ended after [0-9]+ bytes; expected 300000$/)
  t.regex(await refusalOf(() => receiveUrl(url, download.options)), /^network: /)
  checkReceived(t, await receiveUrl(url, download.options), download)
  const starts = state.requests.map(({ headers }) => Number(/^bytes=([0-9]+)-$/.exec(headers.range ?? '')?.[1] ?? 0))
  t.deepEqual(starts, starts.toSorted((a, b) => a - b))
  t.is(new Set(starts).size, 3)
})

test('receiveUrl() begins again when the file on the server changed', async (t) => {
  let tag = 1
  const state = { breaks: 1, etag: () => `"${tag}"`, requests: [] as IncomingMessage[] }
  await using server = await serveHttps(authority, resumable(state))
  using download = openDownload()
  const url = `${server.origin}/x.aci`
  await refusalOf(() => receiveUrl(url, download.options))
  tag = 2
  checkReceived(t, await receiveUrl(url, download.options), download)
})

for (const [what, headers] of [
  ['a weak tag', { ETag: 'W/"one"', 'Accept-Ranges': 'bytes' }],
  ['a fresh date', { 'Last-Modified': new Date().toUTCString(), 'Accept-Ranges': 'bytes' }],
  ['no Accept-Ranges', { ETag: '"one"' }],
] as const) {
  test(`receiveUrl() keeps nothing of an interrupted download with ${what}`, async (t) => {
    await using server = await serveHttps(authority, (_, response) => {
      response.writeHead(200, { ...headers, 'Content-Length': content.byteLength })
      response.write(content.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50))
    })
    using download = openDownload()
    await refusalOf(() => receiveUrl(`${server.origin}/x.aci`, download.options))
    t.deepEqual(readdirSync(download.place.in('partials')), [])
  })
}

test('receiveUrl() refuses a range that it did not ask for, and then begins again', async (t) => {
  const requests: IncomingMessage[] = []
  const state = { breaks: 1, etag: () => '"one"', requests }
  const honest = resumable(state)
  await using server = await serveHttps(authority, (request, response) => {
    if (request.headers.range === undefined) return honest(request, response)
    response.writeHead(206, { 'Content-Range': `bytes 50000-299999/300000`, 'Content-Length': 250_000 })
    response.end(content.subarray(50_000))
  })
  using download = openDownload()
  const url = `${server.origin}/x.aci`
  await refusalOf(() => receiveUrl(url, download.options))
  t.regex(await refusalOf(() => receiveUrl(url, download.options)), /^network: cannot resume .*expected "bytes [0-9]+-299999\/300000"$/)
  checkReceived(t, await receiveUrl(url, download.options), download)
})

test('receiveUrl() of the same URL twice at once leaves both whole', async (t) => {
  const state = { breaks: 0, etag: () => '"one"', requests: [] as IncomingMessage[] }
  await using server = await serveHttps(authority, resumable(state))
  using first = openDownload()
  using second = openDownload({ partials: first.options.partials })
  const url = `${server.origin}/x.aci`
  const [a, b] = await Promise.all([receiveUrl(url, first.options), receiveUrl(url, second.options)])
  checkReceived(t, a, first)
  checkReceived(t, b, { ...second, place: second.place, options: second.options })
})

test('receiveUrl() notices a body that is shorter than announced', async (t) => {
  await using server = await serveHttps(authority, (_, response) => {
    response.writeHead(200, { 'Content-Length': content.byteLength + 7 })
    response.write(content, () => setTimeout(() => response.destroy(), 50))
  })
  using download = openDownload()
  t.regex(await refusalOf(() => receiveUrl(`${server.origin}/x.aci`, download.options)), /^network: .*after [0-9]+ bytes; expected 300007$/)
  t.false(existsSync(download.place.in('into', 'blob')))
})

for (const status of [401, 403, 404, 500, 204, 206]) {
  test(`receiveUrl() refuses status ${status} with the original's words`, async (t) => {
    await using server = await serveHttps(authority, (_, response) => response.writeHead(status).end())
    using download = openDownload()
    t.is(await refusalOf(() => receiveUrl(`${server.origin}/x.aci`, download.options)), `http-status: bad HTTP status code: ${status}`)
    t.deepEqual(readdirSync(download.place.in('partials')), [])
  })
}

test('receiveUrl() follows redirects, relative and absolute', async (t) => {
  await using server = await serveHttps(authority, (request, response) => {
    if (request.url === '/x.aci') redirect(response, '/second')
    else if (request.url === '/second') redirect(response, `https://${request.headers.host ?? ''}/third`)
    else response.end(content)
  })
  using download = openDownload()
  checkReceived(t, await receiveUrl(`${server.origin}/x.aci`, download.options), download)
})

test('receiveUrl() gives up after ten redirects', async (t) => {
  let hops = 0
  await using server = await serveHttps(authority, (_, response) => redirect(response, `/${(hops += 1)}`))
  using download = openDownload()
  t.regex(await refusalOf(() => receiveUrl(`${server.origin}/x.aci`, download.options)), /^limit-exceeded: .*more than 10 redirects$/)
  t.is(hops, 11)
})

for (const insecure of [
  { tls: false, http: false },
  { tls: true, http: true },
]) {
  test(`receiveUrl() never leaves https by a redirect, whatever is allowed (${JSON.stringify(insecure)})`, async (t) => {
    let asked = 0
    await using plain = await serveHttp((_, response) => {
      asked += 1
      response.end(content)
    })
    await using server = await serveHttps(authority, (_, response) => redirect(response, `${plain.origin}/x.aci`))
    using download = openDownload({ insecure })
    t.regex(await refusalOf(() => receiveUrl(`${server.origin}/x.aci`, download.options)), /^policy-refused: .*expected https$/)
    t.is(asked, 0)
  })
}

for (const target of ['file:///etc/passwd', 'https://user:password@localhost/x.aci', 'http://[', 'javascript:0']) {
  test(`receiveUrl() refuses a redirect to ${target}`, async (t) => {
    await using server = await serveHttps(authority, (_, response) => redirect(response, target))
    using download = openDownload()
    const refusal = await refusalOf(() => receiveUrl(`${server.origin}/x.aci`, download.options))
    t.regex(refusal, /^(policy-refused|network): /)
    t.false(refusal.includes('user:password'))
  })
}

test('receiveUrl() uses plain http only when it is allowed', async (t) => {
  await using server = await serveHttp((_, response) => response.end(content))
  using download = openDownload()
  t.regex(await refusalOf(() => receiveUrl(`${server.origin}/x.aci`, download.options)), /^policy-refused: .*plain http is not allowed/)
  const insecure = { tls: false, http: true }
  checkReceived(t, await receiveUrl(`${server.origin}/x.aci`, { ...download.options, insecure }), download)
})

test('receiveUrl() refuses a certificate of an unknown authority or for another host, unless the user waives it', async (t) => {
  await using server = await serveHttps(authority, (_, response) => response.end(content))
  using download = openDownload()
  const url = `${server.origin}/x.aci`
  t.regex(await refusalOf(() => receiveUrl(url, { ...download.options, caFiles: [] })), /^tls: /)
  t.regex(await refusalOf(() => receiveUrl(url.replace('localhost', '127.0.0.1'), download.options)), /^(tls|network): /)
  checkReceived(t, await receiveUrl(url, { ...download.options, caFiles: [], insecure: { tls: true, http: false } }), download)
})

test('receiveUrl() gives up on a server that says nothing, that stops, and that sends a byte at a time', async (t) => {
  await using server = await serveHttps(authority, (request, response) => {
    if (request.url === '/silent.aci') return
    response.writeHead(200, { 'Content-Length': content.byteLength })
    response.write(content.subarray(0, 1000))
    if (request.url !== '/slow.aci') return
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
  })
  using download = openDownload({ idleMs: 300 })
  for (const name of ['silent', 'stopped', 'slow']) {
    const start = Date.now()
    t.regex(await refusalOf(() => receiveUrl(`${server.origin}/${name}.aci`, download.options)), /^timeout: /)
    t.true(Date.now() - start < 10_000)
  }
})

test('receiveUrl() ends with the reason of its signal', async (t) => {
  await using server = await serveHttps(authority, (_, response) => {
    response.writeHead(200)
    response.write(content)
  })
  using download = openDownload()
  const controller = new AbortController()
  const reason = new Error('stopped')
  setTimeout(() => controller.abort(reason), 100)
  await t.throwsAsync(receiveUrl(`${server.origin}/x.aci`, { ...download.options, signal: controller.signal }), { is: reason })
})

test('receiveUrl() reads what the server says about keeping, and asks with the tag', async (t) => {
  await using server = await serveHttps(authority, (request, response) => {
    response.setHeader('ETag', '"one"')
    response.setHeader('Cache-Control', 'public, max-age=60')
    if (request.headers['if-none-match'] === '"one"') response.writeHead(304).end()
    else response.end(content)
  })
  using download = openDownload()
  const answer = await receiveUrl(`${server.origin}/x.aci`, download.options)
  t.deepEqual(answer.cache, { etag: '"one"', maxAgeSeconds: 60 })
  checkReceived(t, answer, download)
  const again = await receiveUrl(`${server.origin}/x.aci`, { ...download.options, knownETag: '"one"' })
  t.is(again.kind, 'not-modified')
  t.deepEqual(readdirSync(download.place.in('partials')), [])
})

test('receiveSignature() tells bytes, a deferred signature and a missing one apart', async (t) => {
  await using server = await serveHttps(authority, (request, response) => {
    if (request.url === '/deferred.aci.asc') response.writeHead(202).end()
    else if (request.url === '/huge.aci.asc') response.end(Buffer.alloc(70_000))
    else if (request.url === '/x.aci.asc') response.end('signature')
    else response.writeHead(401).end()
  })
  using download = openDownload()
  const receive = (name: string): ReturnType<typeof receiveSignature> => receiveSignature(signatureURL(`${server.origin}/${name}.aci`), download.options)
  t.deepEqual(await receive('x'), { kind: 'bytes', bytes: Buffer.from('signature') })
  t.deepEqual(await receive('deferred'), { kind: 'deferred' })
  t.regex(await refusalOf(() => receive('none')), /^signature-missing: error downloading the signature file .*: bad HTTP status code: 401$/)
  t.regex(await refusalOf(() => receive('huge')), /^limit-exceeded: /)
})

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { Location: location }).end()
}
