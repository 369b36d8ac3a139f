import { closeSync, openSync, readSync } from 'node:fs'
import { isErrno } from '../base/index.ts'

/** One line of `logs/<app>`: `TIME stdout|stderr F|P TEXT`, as Kubernetes writes logs too. */
export interface LogLine {
  /** RFC 3339 with up to nine digits of a second. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** Whether the app has not ended the line here. */
  readonly partial: boolean
  readonly text: Uint8Array
}

const chunkBytes = 65_536
const newline = 0x0a

/** Reads a log that may still grow: each call of `lines` goes on where the one before ended. */
export class LogFile implements Disposable {
  readonly #path: string
  #fd: number | undefined
  #offset = 0
  #rest: Uint8Array = new Uint8Array()

  constructor(path: string) {
    this.#path = path
  }

  /** The whole lines that are there now; what is not a log line is passed over. */
  *lines(): Generator<LogLine> {
    const fd = this.#open()
    if (fd === undefined) return
    const chunk = Buffer.alloc(chunkBytes)
    for (;;) {
      const count = readSync(fd, chunk, 0, chunk.length, this.#offset)
      if (count === 0) return
      this.#offset += count
      let bytes: Uint8Array = Buffer.concat([this.#rest, chunk.subarray(0, count)])
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline)) {
        const line = parseLogLine(bytes.subarray(0, end))
        bytes = bytes.subarray(end + 1)
        this.#rest = bytes
        if (line !== undefined) yield line
      }
      this.#rest = bytes
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }

  /** An app that has written nothing yet may have no file. */
  #open(): number | undefined {
    try {
      this.#fd ??= openSync(this.#path, 'r')
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
    return this.#fd
  }
}

/** The parts of one line without its end, or undefined when it is none. */
export function parseLogLine(bytes: Uint8Array): LogLine | undefined {
  const head = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  const [whole, time, stream, tag] = /^(\d{4}-\S{1,36}) (stdout|stderr) ([FP])(?: |$)/.exec(head) ?? []
  if (whole === undefined || time === undefined || (stream !== 'stdout' && stream !== 'stderr')) return undefined
  return { time, stream, partial: tag === 'P', text: bytes.subarray(whole.length) }
}

/** Orders times of lines, whatever the number of their digits. */
export function compareTimes(a: string, b: string): number {
  const difference = Date.parse(a) - Date.parse(b)
  if (difference !== 0) return difference
  const fraction = (time: string): string => (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0')
  return fraction(a) < fraction(b) ? -1 : fraction(a) > fraction(b) ? 1 : 0
}
