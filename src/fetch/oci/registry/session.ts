import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { isErrno, isRktError, limits, quote, RktError } from '../../../base/index.ts'
import { exchange, type HttpResponse, type RequestMore } from '../../http.ts'
import { readBounded } from '../read-bounded.ts'
import type { OciSourceOptions, RegistryLogin } from '../source.ts'
import { makeAuthorizer } from './authorizer.ts'

export interface RegistryRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT'
  readonly headers?: Readonly<Record<string, string>>
  /** What is sent; a stream is opened anew for each attempt. */
  readonly body?: Uint8Array | (() => Readable)
  /** Whether the request needs the right to write. */
  readonly access?: 'pull' | 'push'
  /** Whether the path is below the server's root, not below `/v2`. */
  readonly root?: boolean
  /** Another repository that is read in the same step. */
  readonly alsoPull?: string
  /** Replaces the source's own, such as one with a deadline. */
  readonly signal?: AbortSignal
}

/** Talks to one repository of a registry: shows who asks, and tries again what failed by accident. */
export interface RegistrySession extends Disposable {
  readonly repository: string
  readonly options: OciSourceOptions
  /** A path below `/v2/`, with a slash before it, or a whole URL that the registry gave. */
  request(target: string, request?: RegistryRequest): Promise<HttpResponse>
}

const delaysMs = [250, 500, 1000, 2000]
const longestRetryAfterMs = 10_000
const errorBytes = 65_536

export function openSession({ host, repository }: { readonly host: string; readonly repository: string }, options: OciSourceOptions): RegistrySession {
  const authorizer = makeAuthorizer(loginFor(host, options))
  const agents = { http: new HttpAgent({ keepAlive: true, maxFreeSockets: limits.parallelBlobs }), https: new HttpsAgent({ keepAlive: true, maxFreeSockets: limits.parallelBlobs }) }
  let base: string | undefined

  /** Plain http is tried where https does not work and the user allowed it. */
  const findBase = async (work: (base: string) => Promise<HttpResponse>): Promise<HttpResponse> => {
    const secure = new URL(`https://${apiHost(host)}`).origin
    if (base !== undefined) return work(base)
    try {
      const response = await work(secure)
      base ??= secure
      return response
    } catch (error) {
      if (!isRktError(error, 'tls', 'network')) throw error
      if (!options.insecure.http) throw withHint(error, secure)
      options.log.debug('image', `${secure} does not speak https, trying http`)
      const plain = new URL(`http://${apiHost(host)}`).origin
      const response = await work(plain)
      base ??= plain
      return response
    }
  }

  const once = async (target: string, request: RegistryRequest): Promise<HttpResponse> =>
    findBase(async (origin) => {
      const scope = scopeOf(repository, request)
      const own = target.startsWith('/') || new URL(target).origin === origin
      const url = target.startsWith('/') ? `${origin}${request.root === true ? '' : '/v2'}${target}` : target
      const http: RequestMore = {
        ...options,
        agents,
        signal: request.signal ?? options.signal,
        method: request.method ?? 'GET',
        ...(request.headers === undefined ? {} : { headers: request.headers }),
      }
      const send = (authorization: string | undefined): Promise<HttpResponse> => {
        const { credentials: _credentials, ...rest } = http
        const body = typeof request.body === 'function' ? request.body() : request.body
        return exchange(url, { ...rest, ...(body === undefined ? {} : { body }), ...(own && authorization !== undefined ? { authorization } : {}) })
      }
      const first = await send(authorizer.current(scope))
      // A host that the registry led to is not told who asks.
      if (first.status !== 401 || new URL(first.url).origin !== origin) return first
      const authorization = await authorizer.answer(first, { scope, http })
      await discard(first)
      return send(authorization)
    })

  return {
    repository,
    options,
    request: async (target, request = {}) => {
      for (let attempt = 0; ; attempt += 1) {
        const last = attempt >= delaysMs.length
        const delayMs = delaysMs[attempt] ?? 0
        try {
          const response = await once(target, request)
          if (last || !isTemporary(response.status)) return response
          await discard(response)
          options.log.debug('image', `registry ${host} answered ${response.status}, trying again`)
          await wait(Math.max(delayMs, retryAfterMs(response)), request.signal ?? options.signal)
        } catch (error) {
          if (last || !isRktError(error, 'network') || isAbsent(error.cause)) throw error
          options.log.debug('image', `${error.message}; trying again`)
          await wait(delayMs, request.signal ?? options.signal)
        }
      }
    },
    [Symbol.dispose]: () => {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

/** Nobody is there, and nobody will be within the next seconds. */
function isAbsent(cause: unknown): boolean {
  return isErrno(cause, 'ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH')
}

/** What a plain http server says to a TLS handshake is no certificate of a wrong kind. */
function withHint(error: RktError, origin: string): RktError {
  if (error.code !== 'tls' || !isErrno(error.cause, 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG')) return error
  return new RktError(error.code, `cannot use registry ${quote(origin)}: it does not speak https`, {
    cause: error.cause,
    hint: 'allow plain http once with --insecure-options=http',
  })
}

/** The status as an error, with what the registry says about it. */
export async function refusedBy(response: HttpResponse): Promise<RktError> {
  const said = await explanation(response)
  return new RktError('http-status', `cannot fetch ${quote(response.url)}: bad HTTP status code: ${response.status}${said}`)
}

/** Reads a small answer to its end, so that the connection serves again; ends the connection of a large one. */
export async function discard(response: HttpResponse): Promise<void> {
  try {
    await readBounded(response, { maxBytes: errorBytes })
  } catch (error) {
    if (!isRktError(error)) throw error
  } finally {
    response[Symbol.dispose]()
  }
}

/** SPEC: OCI distribution-spec, error codes. */
async function explanation(response: HttpResponse): Promise<string> {
  try {
    const json: unknown = JSON.parse(Buffer.from(await readBounded(response, { maxBytes: errorBytes })).toString())
    const errors: unknown = typeof json === 'object' && json !== null && 'errors' in json ? json.errors : undefined
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined
    const message: unknown = typeof first === 'object' && first !== null && 'message' in first ? first.message : undefined
    return typeof message === 'string' && message !== '' ? `: the registry says ${quote(message.slice(0, 200))}` : ''
  } catch (error) {
    // An error page that is not the registry's JSON, or does not come, explains nothing.
    if (error instanceof SyntaxError || isRktError(error)) return ''
    throw error
  } finally {
    response[Symbol.dispose]()
  }
}

function isTemporary(status: number): boolean {
  return status === 429 || status === 408 || status === 500 || status === 502 || status === 503 || status === 504
}

function retryAfterMs({ headers }: HttpResponse): number {
  const text = headers['retry-after']
  return text !== undefined && /^[0-9]{1,6}$/.test(text) ? Math.min(Number(text) * 1000, longestRetryAfterMs) : 0
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

/** SPEC: distribution's token scopes; several are separated by spaces. */
function scopeOf(repository: string, { access, alsoPull }: RegistryRequest): string {
  const own = `repository:${repository}:${access === 'push' ? 'pull,push' : 'pull'}`
  return alsoPull === undefined ? own : `${own} repository:${alsoPull}:pull`
}

/** A registry's own login, or the basic one of its host. */
function loginFor(host: string, { logins, credentials }: OciSourceOptions): RegistryLogin | undefined {
  const login = logins?.find(host)
  if (login !== undefined) return login
  const credential = credentials?.find(apiHost(host))
  return credential?.type === 'basic' ? { user: credential.user, password: credential.password } : undefined
}

/** Docker Hub's registry is not at the host that names it. */
function apiHost(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host
}
