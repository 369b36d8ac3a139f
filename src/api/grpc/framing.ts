import type { ServerHttp2Stream } from 'node:http2'
import { RktError } from '../../base/index.ts'
import { grpcLimits } from './limits.ts'

/** Bytes before each message: whether it is compressed, and its length. */
const headBytes = 5

/**
 * Reads the one message of a request.
 *
 * @throws RktError `limit-exceeded`, `usage`, `timeout`, `cancelled`.
 */
export async function readRequest(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const body = await readBody(stream)
  if (body.length < headBytes) throw new RktError('usage', 'cannot read request: it has no message')
  if (body[0] !== 0) throw new RktError('usage', 'cannot read request: it is compressed; expected identity')
  if (body.readUInt32BE(1) !== body.length - headBytes) throw new RktError('usage', 'cannot read request: expected one whole message')
  return body.subarray(headBytes)
}

/** A message as it is sent. */
export function frame(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

async function readBody(stream: ServerHttp2Stream): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const fail = (error: RktError): void => {
      clearTimeout(timer)
      stream.pause()
      reject(error)
    }
    const timer = setTimeout(() => fail(new RktError('timeout', 'cannot read request: it did not come in time')), grpcLimits.requestMs)
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size > grpcLimits.requestBytes + headBytes) fail(new RktError('limit-exceeded', `cannot read request: it is longer than ${grpcLimits.requestBytes} bytes`))
    })
    stream.once('end', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks))
    })
    stream.once('close', () => fail(new RktError('cancelled', 'the client is gone')))
  })
}
