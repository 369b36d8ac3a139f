import type { ServerHttp2Stream } from 'node:http2'
import { constants } from 'node:http2'
import { RktError } from '../../base/index.ts'
import { grpcLimits } from './limits.ts'

/** What is written and not yet read by its client, of all clients together. */
export class Outbox {
  readonly #waiting = new Map<ServerHttp2Stream, number>()
  #bytes = 0

  /**
   * Writes, and waits until the client has room for more.
   *
   * @throws RktError `limit-exceeded` for a message that no client may ask for, `cancelled` when the client is gone or reads nothing.
   */
  async write(stream: ServerHttp2Stream, bytes: Uint8Array): Promise<void> {
    if (bytes.length > grpcLimits.responseBytes) throw new RktError('limit-exceeded', `the answer is longer than ${grpcLimits.responseBytes} bytes; expected filters`)
    this.#makeRoom(bytes.length)
    this.#waiting.set(stream, bytes.length)
    this.#bytes += bytes.length
    try {
      await written(stream, bytes)
    } finally {
      this.#waiting.delete(stream)
      this.#bytes -= bytes.length
    }
  }

  /** ATTACK: many clients ask for everything and read nothing. */
  #makeRoom(size: number): void {
    let excess = this.#bytes + size - grpcLimits.waitingBytes
    for (const [stream, bytes] of this.#waiting) {
      if (excess <= 0) return
      excess -= bytes
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }
  }
}

async function written(stream: ServerHttp2Stream, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const gone = (): void => finish(() => reject(new RktError('cancelled', 'the client is gone')))
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), grpcLimits.stalledMs)
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      stream.removeListener('close', gone)
      settle()
    }
    if (stream.destroyed || stream.closed) return gone()
    stream.once('close', gone)
    // The callback comes when the bytes have left the process: the client's window had room for them.
    stream.write(bytes, (error) => (error ? gone() : finish(resolve)))
  })
}
