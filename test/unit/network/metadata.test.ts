import { request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { serveMetadata } from '../../../src/network/index.ts'
import { temporaryDirectory } from '../../support/temp.ts'

interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly body: string
}

interface Service {
  /** Asks as an app does. */
  app(path: string, options?: { readonly method?: string; readonly body?: string }): Promise<Answer>
  /** Asks on the registration socket. */
  pod(method: string, path: string, body?: unknown): Promise<Answer>
  readonly port: number
  readonly lines: string[]
}

const uuid = '0f9d9d92-3b0b-4c6b-8f0a-6a5ad2f8b1c1'
const token = '0123456789abcdef0123456789abcdef'
const base = `/${token}/acMetadata/v1`
const id = `sha512-${'a'.repeat(64)}`
const image = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  name: 'example.com/app',
  annotations: [{ name: 'authors', value: 'image' }, { name: 'lorem', value: 'ipsum' }],
}
const manifest = {
  acKind: 'PodManifest',
  acVersion: '0.8.11',
  apps: [{ name: 'one', image: { id }, annotations: [{ name: 'authors', value: 'pod' }] }],
  annotations: [{ name: 'example.com/a', value: 'b' }],
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function ask(options: { readonly socketPath?: string; readonly port?: number; readonly path: string; readonly method: string }, body?: string): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false, headers: body === undefined ? {} : { 'content-length': Buffer.byteLength(body) } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], body: Buffer.concat(chunks).toString() }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A service with one pod, for one test. */
async function service(t: ExecutionContext, run: (served: Service) => Promise<void>): Promise<void> {
  using place = temporaryDirectory()
  const end = new AbortController()
  const port = await freePort()
  const lines: string[] = []
  const path = place.in('run', 'metadata.sock')
  const running = new Promise<void>((resolve) => {
    const log = (line: string): void => {
      lines.push(line)
      if (line === 'metadata service running...') resolve()
    }
    serveMetadata({ port, registration: { kind: 'path', path }, log, signal: end.signal }).then(() => undefined, (error: unknown) => t.fail(String(error)))
  })
  await running
  const pod: Service['pod'] = (method, to, body) => ask({ socketPath: path, path: to, method }, body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  try {
    t.is((await pod('PUT', `/pods/${uuid}?token=${token}`, manifest)).status, 200)
    t.is((await pod('PUT', `/pods/${uuid}/one`, image)).status, 200)
    await run({ port, lines, pod, app: (to, { method = 'GET', body } = {}) => ask({ port, path: to, method }, body) })
  } finally {
    end.abort()
  }
}

test('the service tells an app about its pod and its image', async (t) => {
  await service(t, async ({ app }) => {
    t.deepEqual(await app(`${base}/pod/uuid`), { status: 200, type: 'text/plain; charset=us-ascii', body: uuid })
    t.deepEqual(await app(`${base}/pod/annotations`), { status: 200, type: 'application/json', body: JSON.stringify(manifest.annotations) })
    t.deepEqual(await app(`${base}/pod/annotations/example.com/a`), { status: 200, type: 'text/plain; charset=us-ascii', body: 'b' })
    t.deepEqual(await app(`${base}/pod/manifest`), { status: 200, type: 'application/json', body: JSON.stringify(manifest) })
    t.deepEqual(await app(`${base}/apps/one/image/id`), { status: 200, type: 'text/plain; charset=us-ascii', body: id })
    t.deepEqual(await app(`${base}/apps/one/image/manifest`), { status: 200, type: 'application/json', body: JSON.stringify(image) })
  })
})

test('annotations of the pod win over those of the image', async (t) => {
  await service(t, async ({ app }) => {
    t.deepEqual(JSON.parse((await app(`${base}/apps/one/annotations`)).body), [{ name: 'authors', value: 'pod' }, { name: 'lorem', value: 'ipsum' }])
    t.is((await app(`${base}/apps/one/annotations/authors`)).body, 'pod')
  })
})

test('what a pod signs is verified in its name, and nothing else is', async (t) => {
  await service(t, async ({ app }) => {
    const form = (fields: Readonly<Record<string, string>>): { method: string; body: string } => ({ method: 'POST', body: new URLSearchParams(fields).toString() })
    const signed = await app(`${base}/pod/hmac/sign`, form({ content: 'hello & more' }))
    t.like(signed, { status: 200, type: 'text/plain; charset=us-ascii' })
    t.is(Buffer.from(signed.body, 'base64').byteLength, 64)
    const verify = async (fields: Readonly<Record<string, string>>): Promise<number> => (await app(`${base}/pod/hmac/verify`, form({ content: 'hello & more', uuid, signature: signed.body, ...fields }))).status
    t.is(await verify({}), 200)
    t.is(await verify({ content: 'hello' }), 403)
    t.is(await verify({ uuid: uuid.replace('0f', '1f') }), 403)
    t.is(await verify({ signature: 'AAAA' }), 403)
    t.is(await verify({ signature: '***' }), 403)
    t.is(await verify({ uuid: 'x' }), 400)
    t.is((await app(`${base}/pod/hmac/sign`, { method: 'POST', body: '' })).status, 400)
    t.is((await app(`${base}/pod/hmac/sign`)).status, 405)
  })
})

test('wrong requests of apps get the status that says why', async (t) => {
  await service(t, async ({ app }) => {
    const status = async (path: string): Promise<number> => (await app(path)).status
    t.is(await status(`/${'0'.repeat(32)}/acMetadata/v1/pod/uuid`), 401)
    t.is(await status(`${base}/apps/two/image/id`), 404)
    t.is(await status(`${base}/apps/N%20O/image/id`), 400)
    t.is(await status(`${base}/pod/annotations/none`), 404)
    t.is(await status(`${base}/pod/annotations/NOT%20ONE`), 400)
    t.is(await status(`${base}/pod/nothing`), 404)
    t.is(await status(`${base}/pod/%zz`), 400)
    t.is(await status('/'), 404)
    t.is((await app(`${base}/pod/uuid`, { method: 'DELETE' })).status, 405)
    t.is((await app(`${base}/pod/hmac/sign`, { method: 'POST', body: 'x'.repeat(2_000_000) }).catch(() => ({ status: 413 }))).status, 413)
  })
})

test('wrong registrations get the status that says why; a pod that has left is not known', async (t) => {
  await service(t, async ({ pod, app }) => {
    const status = async (method: string, path: string, body?: unknown): Promise<number> => (await pod(method, path, body)).status
    t.is(await status('PUT', `/pods/${uuid}`, manifest), 400)
    t.is(await status('PUT', `/pods/nothing?token=${token}`, manifest), 400)
    t.is(await status('PUT', `/pods/${uuid}?token=${token}`, '{'), 400)
    t.is(await status('PUT', `/pods/${uuid}/two`, image), 404)
    t.is(await status('PUT', `/pods/${uuid}/one`, '[]'), 400)
    const other = uuid.replace('0f', '1f')
    t.is(await status('PUT', `/pods/${other}/one`, image), 404)
    t.is(await status('PUT', `/pods/${other}?token=${token}`, manifest), 400)
    t.is(await status('DELETE', `/pods/${uuid}`), 200)
    t.is(await status('DELETE', `/pods/${uuid}`), 404)
    t.is((await app(`${base}/pod/uuid`)).status, 401)
  })
})

test('the log has one line for each request, and no token', async (t) => {
  await service(t, async ({ app, lines }) => {
    await app(`${base}/pod/uuid`)
    t.deepEqual(lines, [
      'metadata service starting...',
      'metadata service running...',
      `PUT /pods/${uuid}?token=TOKEN - 200`,
      `PUT /pods/${uuid}/one - 200`,
      'GET /TOKEN/acMetadata/v1/pod/uuid - 200',
    ])
  })
})

/** Resolves when so many of the sockets are closed. */
async function closed(sockets: readonly Socket[], count: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (sockets.filter((socket) => socket.destroyed).length >= count) resolve()
    }
    for (const socket of sockets) socket.on('close', look)
    look()
  })
}

test('clients that hold connections open do not keep others from their answers', async (t) => {
  await service(t, async ({ app, port }) => {
    const idle = Array.from({ length: 100 }, () => connect({ port, host: '127.0.0.2', localAddress: '127.0.0.3' }).on('error', () => undefined))
    await closed(idle, 68)
    t.is((await app(`${base}/pod/uuid`)).status, 200)
    for (const socket of idle) socket.destroy()
  })
})
