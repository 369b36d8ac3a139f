import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Readable } from 'node:stream'
import { errorText, libraryFile, limits, parseStrictJson, quote, RktError, type ErrorCode } from '../base/index.ts'

interface Paths {
  readonly blob?: string | undefined
  readonly destination?: string | undefined
  readonly newListing?: string | undefined
  readonly storedListing?: string | undefined
}

/** Descriptors for one run of the unpacker; closed when disposed. */
export interface UnpackerFiles extends Disposable {
  readonly blob: number | undefined
  /** A directory, or the file for uncompressed bytes. */
  readonly destination: number | undefined
  readonly newListing: number | undefined
  readonly storedListing: number | undefined
}

const flags: Record<keyof Paths, number> = {
  blob: constants.O_RDONLY | constants.O_NONBLOCK,
  destination: constants.O_RDONLY | constants.O_DIRECTORY,
  newListing: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
  storedListing: constants.O_RDONLY | constants.O_NOFOLLOW,
}

/** @throws RktError `io` for the first path that cannot be opened. */
export function openFiles(paths: Paths): UnpackerFiles {
  const opened: number[] = []
  const close = (): void => opened.forEach((fd) => closeSync(fd))
  const open = (name: keyof Paths): number | undefined => {
    const path = paths[name]
    if (path === undefined) return undefined
    try {
      const fd = openSync(path, flags[name], 0o600)
      opened.push(fd)
      return fd
    } catch (cause) {
      close()
      throw new RktError('io', `cannot open ${quote(path)}: ${errorText(cause)}`, { cause })
    }
  }
  return { blob: open('blob'), destination: open('destination'), newListing: open('newListing'), storedListing: open('storedListing'), [Symbol.dispose]: close }
}

export interface UnpackerRun {
  readonly args: readonly string[]
  readonly files: UnpackerFiles
  /** Receives the listing as a stream; without it and without a new file none is written. */
  readonly onListing?: ((listing: Readable) => void) | undefined
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

interface Ending {
  readonly code: number | null
  readonly signalName: string | null
  readonly result: Buffer
  readonly message: Buffer
}

/** What the unpacker may say: a manifest in base64 and a few numbers; one line of message. */
const resultBytes = 2 * limits.jsonBytes
const messageBytes = 8192

const codes: Readonly<Record<number, ErrorCode>> = { 1: 'invalid-archive', 2: 'limit-exceeded', 3: 'io' }

/**
 * Runs `lib/rkt/unpack` to its end with an empty environment and nothing open but what it needs. Returns its result, a JSON object.
 *
 * @throws RktError with the unpacker's own line; `timeout` after the deadline; the signal's reason when it was aborted.
 */
export async function runUnpacker(run: UnpackerRun): Promise<Readonly<Record<string, unknown>>> {
  run.signal.throwIfAborted()
  const { files } = run
  const stdio: StdioOptions = [files.blob ?? 'ignore', 'ignore', 'pipe', 'pipe']
  if (files.destination !== undefined) stdio.push(files.destination)
  if (files.newListing !== undefined) stdio.push(files.newListing)
  else if (run.onListing !== undefined) stdio.push('pipe')
  const deadline = AbortSignal.timeout(run.deadlineMs)
  const child = spawn(libraryFile('unpack'), run.args, { stdio, env: {}, cwd: '/' })
  const kill = (): void => void child.kill('SIGKILL')
  run.signal.addEventListener('abort', kill, { once: true })
  deadline.addEventListener('abort', kill, { once: true })
  try {
    const streams: readonly unknown[] = child.stdio
    const listing = streams[5]
    if (listing instanceof Readable) run.onListing?.(listing)
    const ending = await waitForEnd(child)
    run.signal.throwIfAborted()
    if (deadline.aborted) throw new RktError('timeout', `cannot unpack: not done after ${run.deadlineMs} ms`)
    return readEnding(ending)
  } finally {
    run.signal.removeEventListener('abort', kill)
    deadline.removeEventListener('abort', kill)
  }
}

function waitForEnd(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const message = collect(child, child.stdio[2], messageBytes)
    const result = collect(child, child.stdio[3], resultBytes)
    child.once('error', (cause) => {
      reject(new RktError('io', `cannot start the unpacker ${quote(child.spawnfile)}: ${errorText(cause)}`, { cause }))
    })
    child.once('close', (code, signalName) => {
      resolve({ code, signalName, result: Buffer.concat(result), message: Buffer.concat(message) })
    })
  })
}

/** Keeps what arrives, up to a bound: one that says more is not our unpacker any more. */
function collect(child: ChildProcess, stream: unknown, maxBytes: number): readonly Buffer[] {
  const chunks: Buffer[] = []
  let bytes = 0
  if (!(stream instanceof Readable)) return chunks
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes <= maxBytes) chunks.push(chunk)
    else child.kill('SIGKILL')
  })
  return chunks
}

function readEnding({ code, signalName, result, message }: Ending): Readonly<Record<string, unknown>> {
  if (code === 0) {
    const value = parseStrictJson(result, { what: "the unpacker's result", maxBytes: resultBytes })
    if (typeof value !== 'object' || value === null) throw new RktError('io', 'cannot unpack: the unpacker returned no object')
    return { ...value }
  }
  if (signalName !== null) {
    throw new RktError('io', `cannot unpack: the unpacker was killed by ${signalName}`, {
      hint: signalName === 'SIGSYS' ? 'it made a system call that its sandbox forbids: the image may be an attack' : 'see the kernel log',
    })
  }
  throw new RktError(codes[code ?? 0] ?? 'io', asLine(message) || `cannot unpack: the unpacker ended with status ${code}`)
}

/** The first line, safe for a terminal even if an image has taken over the unpacker. */
function asLine(message: Buffer): string {
  const line = message.toString('utf8').split('\n', 1)[0] ?? ''
  return line.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}
