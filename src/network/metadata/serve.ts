import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { errorText, escapeText, isErrno, quote, RktError } from '../../base/index.ts'
import { limitConnections, serverOptions } from './connection-limits.ts'
import { Refusal, type Reply } from './exchange.ts'
import { keyBytes } from './hmac.ts'
import { answerApp } from './public.ts'
import { answerRegistration } from './registration.ts'
import { Registry } from './registry.ts'
import { portHeader } from './socket.ts'

export interface ServeOptions {
  /** TCP port for apps, on every address. */
  readonly port: number
  /** Where pods register: a path, or a listening socket that the supervisor has opened. */
  readonly registration: { readonly kind: 'path'; readonly path: string } | { readonly kind: 'descriptor'; readonly fd: number }
  /** One line for each event. */
  readonly log: (line: string) => void
  /** Ends the service. */
  readonly signal: AbortSignal
}

/**
 * Serves pods and apps until the signal comes.
 *
 * @throws RktError `network` when an address is taken.
 */
export async function serveMetadata({ port, registration, log, signal }: ServeOptions): Promise<void> {
  log('metadata service starting...')
  const registry = new Registry()
  const key = randomBytes(keyBytes)
  const pods = makeServer((request) => answerRegistration(registry, request), { log, headers: { [portHeader]: String(port) } })
  const apps = makeServer((request) => answerApp({ registry, key }, request), { log, headers: {} })
  limitConnections(apps)
  try {
    if (registration.kind === 'path') await listenOnPath(pods, registration.path)
    else await listening(pods, { fd: registration.fd }, `descriptor ${registration.fd}`)
    await listening(apps, { port, host: '0.0.0.0' }, `port ${port}`)
    log('metadata service running...')
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    log('metadata service exiting...')
  } finally {
    for (const server of [pods, apps]) {
      server.close()
      server.closeAllConnections()
    }
  }
}

interface ServerOptions {
  readonly log: ServeOptions['log']
  readonly headers: Readonly<Record<string, string>>
}

function makeServer(answer: (request: IncomingMessage) => Promise<Reply>, { log, headers }: ServerOptions): Server {
  return createServer(serverOptions, (request, response) => {
    const finish = ({ status, type, body = '' }: Reply): void => {
      log(`${request.method ?? '-'} ${withoutToken(request.url ?? '')} - ${status}`)
      send(response, { status, headers: { ...headers, ...(type === undefined ? {} : { 'Content-Type': type }) }, body })
    }
    answer(request).then(finish, (error: unknown) => {
      if (error instanceof Refusal) return finish({ status: error.status })
      if (request.destroyed && !request.complete) return undefined // The client is gone.
      log(`cannot answer: ${errorText(error)}`)
      return finish({ status: 500 })
    })
  })
}

interface Message {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

function send(response: ServerResponse, { status, headers, body }: Message): void {
  const bytes = Buffer.from(body)
  // After a refusal the rest of a request may still be on its way: it is not read.
  response.writeHead(status, { ...headers, 'Content-Length': bytes.byteLength, ...(status >= 400 ? { Connection: 'close' } : {}) })
  response.end(bytes)
}

/** ATTACK: whoever reads the log could speak for a pod; the token is its only secret. */
function withoutToken(url: string): string {
  return escapeText(url.replace(/^\/[^/?]+\/acMetadata(?=\/|$)/, '/TOKEN/acMetadata').replace(/([?&]token=)[^&]*/g, '$1TOKEN'))
}

async function listenOnPath(server: Server, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  await removeStale(path)
  const before = process.umask(0o117)
  try {
    await listening(server, { path }, quote(path))
  } finally {
    process.umask(before)
  }
}

/** A socket that nobody listens on was left by a service that was killed. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) throw new RktError('network', `cannot listen on ${quote(path)}: it is not a socket`)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
  if (answers) throw new RktError('busy', `cannot listen on ${quote(path)}: a metadata service runs already`)
  rmSync(path)
}

async function listening(server: Server, where: Parameters<Server['listen']>[0], name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new RktError(isErrno(cause, 'EADDRINUSE') ? 'busy' : 'network', `cannot listen on ${name}: ${errorText(cause)}`, { cause })))
    server.listen(where, resolve)
  })
}
