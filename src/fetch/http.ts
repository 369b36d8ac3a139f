import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import type { Readable } from 'node:stream'
import type { SecureContext } from 'node:tls'
import { limits, quote, RktError, type Log } from '../base/index.ts'
import { trustedAuthorities } from './authorities.ts'
import { authorization, type Credentials } from './credentials.ts'
import { networkError } from './network-error.ts'

export interface HttpOptions {
  readonly signal: AbortSignal
  readonly log: Log
  readonly userAgent: string
  /** What the user allowed with `--insecure-options`. */
  readonly insecure: { readonly tls: boolean; readonly http: boolean }
  /** Files of PEM certificates that are trusted besides the system's. */
  readonly caFiles?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Shown to the host that was asked first, and to nobody it redirects to. */
  readonly credentials?: Credentials
  /** Longest wait for an answer, and length of one window of a body; `limits.httpIdleMs` unless a test is in a hurry. */
  readonly idleMs?: number
}

export interface RequestMore extends HttpOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT'
  /** What is sent; `Content-Length` is among the headers. */
  readonly body?: Uint8Array | Readable
  /** Value of `Authorization`, for the first host only, in place of `credentials`. */
  readonly authorization?: string
  /** Keeps connections for the next request; without it each has its own. */
  readonly agents?: { readonly http: Agent; readonly https: Agent }
}

export interface HttpResponse extends Disposable {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Where the redirects ended. */
  readonly url: string
  /** The body; fails unless the whole announced length arrives, and arrives fast enough. */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * One GET with redirects: never from https to http, credentials for the first host only, certificates checked unless the user waived it.
 *
 * @throws RktError `network`, `tls`, `timeout`, `limit-exceeded` (redirects), `policy-refused` (plain http).
 */
export function get(start: string, options: HttpOptions): Promise<HttpResponse> {
  return exchange(start, options)
}

/**
 * As `get`, with a method and a body; what is not GET or HEAD follows no redirect.
 *
 * @throws RktError as `get`.
 */
export async function exchange(start: string, options: RequestMore): Promise<HttpResponse> {
  let url = new URL(start)
  // A host that another one led to has asked for nothing in the user's name, not even on the way back.
  let atFirstHost = true
  for (let hops = 0; hops <= limits.redirects; hops += 1) {
    checkTransport(url, options)
    const { request, response } = await send(url, { ...options, headers: { ...options.headers, ...(atFirstHost ? credentialsFor(url, options) : {}) } })
    const location = isRedirect(response.statusCode) && isReading(options) ? response.headers.location : undefined
    if (location === undefined) return finish(url, { request, response, options })
    request.destroy()
    const next = redirectTarget(url, location)
    options.log.debug('image', `redirected from ${url.href} to ${next.href}`)
    atFirstHost &&= next.host === url.host
    url = next
  }
  throw new RktError('limit-exceeded', `cannot fetch ${quote(start)}: more than ${limits.redirects} redirects`)
}

/** @throws RktError `http-status` with the original's words unless the status is 200. */
export function expectOK(response: HttpResponse): void {
  if (response.status !== 200) throw new RktError('http-status', `bad HTTP status code: ${response.status}`)
}

function checkTransport(url: URL, options: HttpOptions): void {
  if (url.protocol === 'https:' || options.insecure.http) return
  throw new RktError('policy-refused', `cannot fetch ${quote(url.href)}: plain http is not allowed; expected https`, {
    hint: 'use an https URL, or allow it once with --insecure-options=http',
  })
}

/** Credentials go over https alone, unless the user gave up the protection of TLS. */
function credentialsFor(url: URL, { credentials, insecure, authorization: given }: RequestMore): Readonly<Record<string, string>> {
  if (given !== undefined) return { Authorization: given }
  return credentials !== undefined && (url.protocol === 'https:' || insecure.tls) ? authorization(url, credentials) : {}
}

function isReading({ method = 'GET' }: RequestMore): boolean {
  return method === 'GET' || method === 'HEAD'
}

interface Exchange {
  readonly request: ClientRequest
  readonly response: IncomingMessage
}

/** Sends the request and waits for the head of the answer: name look-up, connection, handshake and headers share one deadline. */
async function send(url: URL, options: RequestMore): Promise<Exchange> {
  options.signal.throwIfAborted()
  const idleMs = options.idleMs ?? limits.httpIdleMs
  const { request: open } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const settings: RequestOptions & { secureContext?: SecureContext; rejectUnauthorized?: boolean } = {
    agent: (url.protocol === 'https:' ? options.agents?.https : options.agents?.http) ?? false,
    method: options.method ?? 'GET',
    headers: { 'User-Agent': options.userAgent, 'Accept-Encoding': 'identity', ...options.headers },
    signal: options.signal,
  }
  if (url.protocol === 'https:') {
    settings.secureContext = await trustedAuthorities(options.caFiles ?? [])
    settings.rejectUnauthorized = !options.insecure.tls
  }
  return new Promise((fulfil, reject) => {
    const request = open(url, settings)
    const late = (): unknown => request.destroy(new RktError('timeout', `cannot fetch ${quote(url.href)}: no answer within ${idleMs} ms`))
    const deadline = setTimeout(late, idleMs)
    request.once('response', (response) => {
      clearTimeout(deadline)
      fulfil({ request, response })
    })
    request.on('error', (error) => {
      clearTimeout(deadline)
      reject(networkError(error, { url: url.href, signal: options.signal }))
    })
    sendBody(request, { body: options.body, extend: () => deadline.refresh() })
  })
}

/** Each part that the other side takes gives it more time for its answer. */
function sendBody(request: ClientRequest, { body, extend }: { readonly body: RequestMore['body']; readonly extend: () => void }): void {
  if (body === undefined || body instanceof Uint8Array) return void request.end(body)
  body.on('error', (error) => request.destroy(error))
  body.on('data', extend)
  request.on('close', () => body.destroy())
  body.pipe(request)
}

function finish(url: URL, exchange: Exchange & { readonly options: HttpOptions }): HttpResponse {
  const { request, response } = exchange
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    url: url.href,
    body: receive(url, exchange),
    [Symbol.dispose]: () => {
      response.on('error', () => undefined) // nobody reads the body any more
      request.destroy()
    },
  }
}

/** The body, watched: a server that sends one byte a second is given up after one window. */
async function* receive(url: URL, { request, response, options }: Exchange & { readonly options: HttpOptions }): AsyncGenerator<Uint8Array> {
  const idleMs = options.idleMs ?? limits.httpIdleMs
  const announced = contentLength(response.headers)
  let doneBytes = 0
  let windowBytes = 0
  const watch = setInterval(() => {
    if (windowBytes < limits.httpWindowBytes) {
      response.destroy(new RktError('timeout', `cannot fetch ${quote(url.href)}: only ${windowBytes} bytes arrived within ${idleMs} ms`))
    }
    windowBytes = 0
  }, idleMs)
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      windowBytes += chunk.byteLength
      doneBytes += chunk.byteLength
      yield chunk
    }
  } catch (error) {
    throw networkError(error, { url: url.href, signal: options.signal, doneBytes, announced })
  } finally {
    clearInterval(watch)
    request.destroy()
  }
  if (announced !== undefined && announced !== doneBytes) {
    throw new RktError('network', `cannot fetch ${quote(url.href)}: ${doneBytes} bytes arrived; expected ${announced}`)
  }
}

/** The announced length of the body, when the server gave one. */
export function contentLength(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['content-length']
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

function isRedirect(status: number | undefined): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function redirectTarget(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new RktError('network', `cannot follow redirect of ${quote(from.href)}: bad target ${quote(location)}`)
  const to = new URL(location, from)
  to.hash = ''
  const allowed = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')
  if (!allowed) {
    throw new RktError('policy-refused', `cannot follow redirect of ${quote(from.href)} to ${quote(to.href)}: expected https`)
  }
  if (to.username !== '' || to.password !== '') {
    throw new RktError('policy-refused', `cannot follow redirect of ${quote(from.href)}: the target holds a user name or password`)
  }
  return to
}
