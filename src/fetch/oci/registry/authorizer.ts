import { parseStrictJson, quote, RktError } from '../../../base/index.ts'
import { exchange, type HttpResponse, type RequestMore } from '../../http.ts'
import { readBounded } from '../read-bounded.ts'
import type { RegistryLogin } from '../source.ts'
import { parseChallenges, type Challenge } from './challenge.ts'

/** Keeps what a registry wants to see, once it has said so. */
export interface Authorizer {
  /** Value of `Authorization` for a request that needs `scope`; undefined while nobody asked for one. */
  current(scope: string): string | undefined
  /**
   * Answers status 401.
   *
   * @throws RktError `http-status` when nothing that we may show would satisfy the registry, `policy-refused` for a token service that
   *   must not be asked.
   */
  answer(refused: HttpResponse, options: { readonly scope: string; readonly http: RequestMore }): Promise<string>
}

/** Times of tokens are those of the server, so they are given up a little earlier. */
const marginMs = 10_000
const defaultSeconds = 60
const tokenBytes = 65_536

export function makeAuthorizer(login: RegistryLogin | undefined): Authorizer {
  const known = new Map<string, { readonly value: string; readonly untilMs: number }>()
  return {
    current: (scope) => {
      const entry = known.get(scope)
      return entry !== undefined && entry.untilMs > performance.now() ? entry.value : undefined
    },
    answer: async (refused, { scope, http }) => {
      const challenges = parseChallenges(refused.headers['www-authenticate'] ?? '')
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
      if (bearer !== undefined) {
        const { token, seconds } = await fetchToken(bearer, { refused, scope, http, login })
        const value = `Bearer ${token}`
        known.set(scope, { value, untilMs: performance.now() + seconds * 1000 - marginMs })
        return value
      }
      if (!challenges.some(({ scheme }) => scheme === 'basic')) throw unauthorized(refused, 'in a way that is not known; expected basic or bearer authentication')
      if (login === undefined) throw unauthorized(refused, 'a user and a password')
      if (!mayShow(new URL(refused.url), http)) throw unauthorized(refused, 'a password, which is sent over https only')
      const value = basic(login)
      known.set(scope, { value, untilMs: Infinity })
      return value
    },
  }
}

interface TokenRequest {
  readonly refused: HttpResponse
  readonly scope: string
  readonly http: RequestMore
  readonly login: RegistryLogin | undefined
}

async function fetchToken(challenge: Challenge, { refused, scope, http, login }: TokenRequest): Promise<{ readonly token: string; readonly seconds: number }> {
  const url = realmOf(challenge, new URL(refused.url))
  const service = challenge.parameters.get('service')
  if (service !== undefined) url.searchParams.set('service', service)
  for (const one of scope.split(' ')) url.searchParams.append('scope', one)
  const shown = login !== undefined && mayShow(url, http) ? { authorization: basic(login) } : {}
  const { signal, log, userAgent, insecure, caFiles, idleMs, agents } = http
  log.debug('image', `asking ${url.origin} for a token`)
  using response = await exchange(url.href, {
    ...{ signal, log, userAgent, insecure },
    ...(caFiles === undefined ? {} : { caFiles }),
    ...(idleMs === undefined ? {} : { idleMs }),
    ...(agents === undefined ? {} : { agents }),
    ...shown,
  })
  if (response.status === 401 || response.status === 403) throw unauthorized(refused, login === undefined ? 'a user and a password' : 'another user or password')
  if (response.status !== 200) throw new RktError('http-status', `cannot get a token from ${quote(url.origin)}: bad HTTP status code: ${response.status}`)
  return readToken(await readBounded(response, { maxBytes: tokenBytes }), url)
}

/** Attack: a registry that has passwords sent to a service of its choice without protection. */
function realmOf({ parameters }: Challenge, registry: URL): URL {
  const text = parameters.get('realm') ?? ''
  if (!URL.canParse(text)) throw new RktError('invalid-json', `cannot get a token for ${quote(registry.host)}: the registry names no token service`)
  const url = new URL(text)
  const samePlain = url.protocol === 'http:' && registry.protocol === 'http:' && url.hostname === registry.hostname
  if ((url.protocol !== 'https:' && !samePlain) || url.username !== '' || url.password !== '') {
    throw new RktError('policy-refused', `cannot get a token for ${quote(registry.host)} from ${quote(url.origin)}: expected an https URL without a user`)
  }
  url.hash = ''
  return url
}

function readToken(bytes: Uint8Array, url: URL): { readonly token: string; readonly seconds: number } {
  const json = parseStrictJson(bytes, { what: `token of ${quote(url.origin)}`, maxBytes: tokenBytes })
  const fields = typeof json === 'object' && json !== null ? new Map(Object.entries(json)) : new Map<string, unknown>()
  const token: unknown = fields.get('token') ?? fields.get('access_token')
  const seconds: unknown = fields.get('expires_in')
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw new RktError('invalid-json', `cannot get a token from ${quote(url.origin)}: the answer holds none`)
  return { token, seconds: typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 86_400) : defaultSeconds }
}

function basic({ user, password }: RegistryLogin): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** Passwords go over https alone, unless the user gave up the protection of TLS. */
function mayShow(url: URL, { insecure }: RequestMore): boolean {
  return url.protocol === 'https:' || insecure.tls
}

function unauthorized({ url, status }: HttpResponse, wanted: string): RktError {
  const { host } = new URL(url)
  return new RktError('http-status', `cannot fetch ${quote(url)}: bad HTTP status code: ${status}: the registry wants ${wanted}`, {
    hint: `give a login for ${quote(host)} in a file auth.d/NAME.json of kind "dockerAuth"; the image may also not exist`,
  })
}
