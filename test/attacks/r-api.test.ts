import { connect as connectHttp2, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { openApiClient } from '../support/api-client.ts'
import { startApi } from '../support/api-scene.ts'
import { openPodScene } from '../support/pod-scene.ts'

const scene = await openPodScene()
const api = await startApi({ place: scene.place, dir: scene.dir })
const target = api.targets[0] ?? ''
const port = Number(target.split(':')[1])
test.after.always(async () => {
  await api[Symbol.asyncDispose]()
  scene[Symbol.dispose]()
})

async function stillAnswers(t: ExecutionContext): Promise<void> {
  using client = openApiClient(target)
  t.truthy((await client.call('GetInfo'))['info'])
  const { images } = await client.call('ListImages')
  t.like(images, [{ id: scene.image }])
}

function open(): ClientHttp2Session {
  const session = connectHttp2(`http://${target}`)
  session.on('error', () => undefined)
  return session
}

function ask(session: ClientHttp2Session, method: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': `/v1alpha.PublicAPI/${method}`, 'content-type': 'application/grpc', te: 'trailers', ...headers })
  stream.on('error', () => undefined)
  return stream
}

/** `grpc-status`, HTTP status, or `closed`, whatever comes first. */
async function answerOf(stream: ClientHttp2Stream): Promise<string> {
  stream.resume()
  return await new Promise((resolve) => {
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) resolve(String(headers['grpc-status']))
      else if (headers[':status'] !== 200) resolve(`HTTP ${headers[':status']}`)
    })
    stream.on('trailers', (headers) => resolve(String(headers['grpc-status'])))
    stream.on('close', () => resolve('closed'))
  })
}

function frame(message: Uint8Array, { flag = 0, length = message.length } = {}): Uint8Array {
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, message])
}

test.serial('R1 requests that are no messages, too long, compressed or for nobody are refused one by one', async (t) => {
  const session = open()
  const cases: readonly (readonly [string, string, Uint8Array, Readonly<Record<string, string>>?])[] = [
    ['3', 'ListPods', new Uint8Array()],
    ['3', 'ListPods', frame(Buffer.from([0xff]))],
    ['3', 'ListPods', frame(Buffer.alloc(4), { length: 0xffff_ffff })],
    ['3', 'ListPods', frame(Buffer.alloc(0), { flag: 1 })],
    ['3', 'GetInfo', Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.alloc(0))])],
    ['8', 'ListPods', frame(Buffer.alloc(1_000_000))],
    ['8', 'ListPods', frame(Buffer.from('0a00'.repeat(300), 'hex'))],
    ['12', 'ListPods', frame(Buffer.alloc(0)), { 'grpc-encoding': 'gzip' }],
    ['12', '../GetInfo', frame(Buffer.alloc(0))],
    ['12', '__proto__', frame(Buffer.alloc(0))],
    ['3', 'GetInfo', frame(Buffer.alloc(0)), { 'grpc-timeout': '1e9S' }],
    ['HTTP 415', 'GetInfo', frame(Buffer.alloc(0)), { 'content-type': 'application/json' }],
  ]
  for (const [wanted, method, body, headers] of cases) {
    const stream = ask(session, method, headers)
    stream.end(body)
    t.is(await answerOf(stream), wanted, `${method} ${body.length}`)
  }
  session.destroy()
  await stillAnswers(t)
})

test.serial('R1 no path out of the data directory is read by an ID, and failures name no file of the host', async (t) => {
  using client = openApiClient(target)
  for (const id of ['../../etc/passwd', '/etc/passwd', '..', 'sha512-../../x', '\u0000', 'x'.repeat(100_000)]) {
    for (const method of ['InspectPod', 'InspectImage']) {
      const error = await t.throwsAsync(client.call(method, { id }))
      t.regex(error?.message ?? '', /^(3|5) /)
      t.notRegex(error?.message ?? '', new RegExp(`${scene.dir}|root:|ENOENT`))
    }
    t.is(await client.stream('GetLogs', { pod_id: id }).end, 3)
  }
})

test.serial('R2 a thousand connections, half of them silent or speaking nonsense, shut nobody out', async (t) => {
  const sockets: Socket[] = []
  for (let index = 0; index < 1000; index += 1) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    if (index % 2 === 1) socket.write(index % 4 === 1 ? 'GET / HTTP/1.1\r\n\r\n' : Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(100, 0xff)]))
    sockets.push(socket)
  }
  await sleep(500)
  await stillAnswers(t)
  for (const socket of sockets) socket.destroy()
  await stillAnswers(t)
})

test.serial('R2 calls without end are bounded, and those that are given up make room', async (t) => {
  const session = open()
  const others = [open(), open(), open()]
  const streams = [session, ...others].flatMap((one) => Array.from({ length: 60 }, () => ask(one, 'ListenEvents')))
  const refused: string[] = []
  for (const stream of streams) {
    stream.end(frame(Buffer.alloc(0)))
    void answerOf(stream).then((answer) => refused.push(answer))
  }
  for (let waitedMs = 0; refused.length < streams.length - 128 && waitedMs < 10_000; waitedMs += 20) await sleep(20)
  t.deepEqual(refused, Array.from({ length: streams.length - 128 }, () => '8'))
  await stillAnswers(t)
  for (const one of [session, ...others]) one.destroy()
  using client = openApiClient(target)
  let free = false
  for (let waitedMs = 0; !free && waitedMs < 10_000; waitedMs += 100) {
    free = await client.stream('ListenEvents').until((messages) => messages.length > 0, 500)
  }
  t.true(free)
})

test.serial('R2 calls that are taken back at once, and answers that nobody reads, cost little memory', async (t) => {
  const before = api.residentKb()
  for (let round = 0; round < 20; round += 1) {
    const session = open()
    for (let index = 0; index < 50; index += 1) {
      const stream = ask(session, 'ListImages')
      stream.end(frame(Buffer.from([0x10, 1])))
      if (index % 2 === 0) stream.close(constants.NGHTTP2_CANCEL)
      else stream.pause()
    }
    await sleep(20)
    session.destroy()
  }
  t.is(api.stderr().split('\n').length, 4)
  await stillAnswers(t)
  t.true(api.residentKb() - before < 150_000, `${before} → ${api.residentKb()}`)
  t.notRegex(api.stderr(), /cannot answer/)
  t.is(await api.stop(), 0)
})
