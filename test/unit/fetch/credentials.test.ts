import test from 'ava'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { silentLog } from '../../../src/base/index.ts'
import { authorization, type Credential, type Credentials } from '../../../src/fetch/credentials.ts'
import { get, type HttpOptions } from '../../../src/fetch/http.ts'
import { makeAuthority, serveHttp, serveHttps, type TestAuthority } from '../../support/https.ts'
import { refusalOf } from '../../support/store.ts'

const authority: TestAuthority = makeAuthority()
test.after.always(() => authority[Symbol.dispose]())

const oauth: Credential = { type: 'oauth', token: 'secret' }
const credentialsOf = (hosts: Readonly<Record<string, Credential>>, nowMs = 0): Credentials => ({ find: (host) => hosts[host], now: () => nowMs })

test('authorization() writes the headers of basic and oauth', (t) => {
  const credentials = credentialsOf({ 'a.example': { type: 'basic', user: 'Aladdin', password: 'open sesame' }, 'b.example:8443': oauth })
  t.deepEqual(authorization(new URL('https://a.example/x'), credentials), { Authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' })
  t.deepEqual(authorization(new URL('https://b.example:8443/x'), credentials), { Authorization: 'Bearer secret' })
  t.deepEqual(authorization(new URL('https://b.example/x'), credentials), {})
})

// SPEC: AWS, "Examples: Signature Calculations", keys and dates of the documentation.
const aws: Credential = { type: 'aws', accessKeyID: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', awsRegion: '' }
for (const [query, signature] of [
  ['?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
] as const) {
  test(`authorization() signs ${query} as AWS documents it`, (t) => {
    const credentials = credentialsOf({ 'examplebucket.s3.amazonaws.com': aws }, Date.parse('2013-05-24T00:00:00Z'))
    const headers = authorization(new URL(`https://examplebucket.s3.amazonaws.com/${query}`), credentials)
    t.is(
      headers['Authorization'],
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=${signature}`,
    )
    t.is(headers['X-Amz-Date'], '20130524T000000Z')
  })
}

test('authorization() takes the region from the host, unless it is configured', (t) => {
  const region = (host: string, credential = aws): string | undefined =>
    /\/20130524\/([^/]+)\//.exec(authorization(new URL(`https://${host}/`), credentialsOf({ [host]: credential }, Date.parse('2013-05-24T00:00:00Z')))['Authorization'] ?? '')?.[1]
  t.is(region('bucket.s3.eu-west-1.amazonaws.com'), 'eu-west-1')
  t.is(region('s3-us-west-2.amazonaws.com'), 'us-west-2')
  t.is(region('images.example.com'), 'us-east-1')
  t.is(region('s3-us-west-2.amazonaws.com', { ...aws, awsRegion: 'eu-central-1' }), 'eu-central-1')
})

const hostOf = (origin: string): string => new URL(origin).host

async function seen(url: string, options: Partial<HttpOptions>): Promise<void> {
  const signal = new AbortController().signal
  using _response = await get(url, { signal, log: silentLog, userAgent: 'test', insecure: { tls: false, http: false }, caFiles: [authority.caFile], ...options })
}

test('credentials go to their own host, and along its own redirects', async (t) => {
  const asked: (string | undefined)[] = []
  await using server = await serveHttps(authority, (request, response) => {
    asked.push(request.headers.authorization)
    return request.url === '/one' ? response.writeHead(302, { Location: '/two' }).end() : response.end('good')
  })
  await seen(`${server.origin}/one`, { credentials: credentialsOf({ [hostOf(server.origin)]: oauth }) })
  t.deepEqual(asked, ['Bearer secret', 'Bearer secret'])
})

test('a redirect to another host carries no credentials: neither those of the first host nor its own, nor on the way back', async (t) => {
  const asked: string[] = []
  const noting = (name: string, answer: (request: IncomingMessage, response: ServerResponse) => unknown) => (request: IncomingMessage, response: ServerResponse): unknown => {
    asked.push(`${name}${request.url} ${request.headers.authorization ?? '-'}`)
    return answer(request, response)
  }
  let back = ''
  await using other = await serveHttps(authority, noting('other', (_, response) => response.writeHead(302, { Location: back }).end()))
  await using first = await serveHttps(
    authority,
    noting('first', ({ url }, response) => (url === '/start' ? response.writeHead(302, { Location: `${other.origin}/x` }).end() : response.end('good'))),
  )
  back = `${first.origin}/back`
  await seen(`${first.origin}/start`, { credentials: credentialsOf({ [hostOf(first.origin)]: oauth, [hostOf(other.origin)]: oauth }) })
  t.deepEqual(asked, ['first/start Bearer secret', 'other/x -', 'first/back -'])
})

test('credentials do not go over plain http, unless TLS was given up too', async (t) => {
  const asked: (string | undefined)[] = []
  await using server = await serveHttp((request, response) => {
    asked.push(request.headers.authorization)
    return response.end('good')
  })
  const credentials = credentialsOf({ [hostOf(server.origin)]: oauth })
  t.regex(await refusalOf(() => seen(server.origin, { credentials })), /^policy-refused: /)
  await seen(server.origin, { credentials, insecure: { tls: false, http: true } })
  await seen(server.origin, { credentials, insecure: { tls: true, http: true } })
  t.deepEqual(asked, [undefined, 'Bearer secret'])
})
