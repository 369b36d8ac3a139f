import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { errorText, RktError } from '../../base/index.ts'
import { frame, readRequest } from './framing.ts'
import { grpcLimits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { encodeMessage, status, statusOf, type CallStatus } from './status.ts'

export interface CallContext {
  /** Aborted when the client is gone or its time is over, and when the service ends. */
  readonly signal: AbortSignal
}

/** What a service answers to one kind of call; bytes are messages. */
export type Method =
  | { readonly kind: 'unary'; readonly answer: (request: Uint8Array, context: CallContext) => Promise<Uint8Array> }
  /** Goes on until it ends by itself or the signal comes; what it yields is taken only as fast as the client reads. */
  | { readonly kind: 'stream'; readonly answer: (request: Uint8Array, context: CallContext) => AsyncIterable<Uint8Array> }

export interface CallOptions {
  readonly methods: ReadonlyMap<string, Method>
  readonly outbox: Outbox
  /** Ends all calls. */
  readonly signal: AbortSignal
  /** Number of calls that go on; the count is kept here. */
  readonly longCalls: { count: number }
  /** Told of failures that are not the client's. */
  readonly onFault: (line: string) => void
}

/** Carries one call out; SPEC: gRPC over HTTP/2. Never rejects. */
export async function carryOut(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: CallOptions): Promise<void> {
  const gone = new AbortController()
  stream.once('close', () => gone.abort(new RktError('cancelled', 'the client is gone')))
  // ATTACK: an error without a listener would end the process; its cause is told by the close that follows.
  stream.on('error', () => undefined)
  try {
    await answer(stream, headers, { ...options, gone: gone.signal })
  } catch (error) {
    const known = statusOf(error)
    if (known === undefined) options.onFault(`cannot answer ${JSON.stringify(headers[':path'] ?? '').slice(0, 100)}: ${errorText(error)}`)
    finish(stream, known ?? { code: status.internal, message: 'internal error' })
  }
}

interface AnswerOptions extends CallOptions {
  readonly gone: AbortSignal
}

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: AnswerOptions): Promise<void> {
  if (headers[':method'] !== 'POST') return refuse(stream, 405)
  if (!/^application\/grpc(?:\+proto)?(?:;|$)/.test(headers['content-type'] ?? '')) return refuse(stream, 415)
  const method = options.methods.get(headers[':path'] ?? '')
  if (method === undefined) return finish(stream, { code: status.unimplemented, message: 'unknown method' })
  const encoding = headers['grpc-encoding'] ?? 'identity'
  if (encoding !== 'identity') return finish(stream, { code: status.unimplemented, message: 'expected grpc-encoding identity' })
  const timeoutMs = parseTimeout(headers['grpc-timeout'])
  const signals = [options.gone, options.signal]
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any(deadline === undefined ? signals : [...signals, deadline])
  try {
    const request = await readRequest(stream)
    if (method.kind === 'stream') return await streamAnswers(stream, { method, request, signal, options })
    const message = frame(await untilAborted(method.answer(request, { signal }), signal))
    if (message.length > grpcLimits.responseBytes) throw new RktError('limit-exceeded', `the answer is longer than ${grpcLimits.responseBytes} bytes; expected filters`)
    begin(stream)
    await options.outbox.write(stream, message)
    finish(stream, { code: status.ok, message: '' })
  } catch (error) {
    if (deadline?.aborted === true) throw new RktError('timeout', 'the deadline of the call has passed', { cause: error })
    if (options.signal.aborted) throw new RktError('busy', 'the service ends', { cause: error })
    throw error
  }
}

interface StreamInputs {
  readonly method: Extract<Method, { kind: 'stream' }>
  readonly request: Uint8Array
  readonly signal: AbortSignal
  readonly options: AnswerOptions
}

async function streamAnswers(stream: ServerHttp2Stream, { method, request, signal, options }: StreamInputs): Promise<void> {
  const { longCalls, outbox } = options
  if (longCalls.count >= grpcLimits.longCalls) throw new RktError('limit-exceeded', `${grpcLimits.longCalls} calls of this kind go on already`)
  longCalls.count += 1
  try {
    for await (const message of method.answer(request, { signal })) {
      // A first message without a byte says that the answer has begun.
      begin(stream)
      await outbox.write(stream, frame(message))
    }
    signal.throwIfAborted()
    begin(stream)
    finish(stream, { code: status.ok, message: '' })
  } finally {
    longCalls.count -= 1
  }
}

function begin(stream: ServerHttp2Stream): void {
  if (!stream.headersSent && !isGone(stream)) stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity' }, { waitForTrailers: true })
}

/** Ends a call: in trailers, or without any message in the headers alone. */
function finish(stream: ServerHttp2Stream, { code, message }: CallStatus): void {
  if (isGone(stream)) return
  const trailers = { 'grpc-status': String(code), ...(message === '' ? {} : { 'grpc-message': encodeMessage(message) }) }
  if (stream.headersSent) {
    stream.once('wantTrailers', () => {
      if (!isGone(stream)) stream.sendTrailers(trailers)
    })
    stream.end()
  } else {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity', ...trailers }, { endStream: true })
  }
  letGo(stream)
}

/** ATTACK: a client may take a call back at any moment; answering then would throw. */
function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || stream.session?.destroyed !== false
}

function refuse(stream: ServerHttp2Stream, httpStatus: number): void {
  if (isGone(stream)) return
  stream.respond({ ':status': httpStatus }, { endStream: true })
  letGo(stream)
}

/** What is left of a request is not read; a client that does not end its side is not waited for. */
function letGo(stream: ServerHttp2Stream): void {
  stream.resume()
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), grpcLimits.requestMs)
  stream.once('close', () => clearTimeout(timer))
}

/** The work itself may go on a while; the client does not wait for that. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 }

/** SPEC: at most eight digits and a unit. */
function parseTimeout(text: string | readonly string[] | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(text)) ?? []
  if (digits === undefined || unit === undefined) throw new RktError('usage', 'cannot read grpc-timeout: expected digits and a unit')
  // KERNEL: Node's timers take 31 bits.
  return Math.min(Math.ceil(Number(digits) * (units[unit] ?? 1)), 0x7fff_ffff)
}
