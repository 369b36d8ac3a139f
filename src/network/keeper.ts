import { spawn } from 'node:child_process'
import { getSystemErrorMap } from 'node:util'
import { libraryFile, RktError } from '../base/index.ts'
import { identify, type KeeperProcess } from './keeper-process.ts'
import { addressBytes } from './netfilter/address.ts'

/** A port at an address, as the keeper binds it or connects to it. */
export interface Place {
  readonly protocol: 'tcp' | 'udp'
  readonly ip: string
  readonly port: number
}

export interface KeeperOptions {
  /** Ports of the host, claimed in one step: all of them or none. */
  readonly claims: readonly Place[]
  /** Packet rules that need no address of the pod. */
  readonly batch: Uint8Array
  readonly signal: AbortSignal
}

/** A port that could not be claimed. */
export interface ClaimFailure {
  readonly kind: 'claim'
  readonly index: number
  /** Such as `EADDRINUSE`. */
  readonly errno: string
}

/** The process that holds a pod's ports and rules; it ends with this process, or with the launcher that this process becomes. */
export interface Keeper extends Disposable {
  readonly kind: 'keeper'
  readonly process: KeeperProcess
  /** Why the kernel refused the rules, such as `EOPNOTSUPP`; undefined when they hold. */
  readonly refusal: string | undefined
  /**
   * Says where the claimed ports lead, one place or undefined for each, and adds rules; the process then gives up its rights.
   *
   * @throws RktError `network-setup`.
   */
  lead(places: readonly (Place | undefined)[], batch: Uint8Array): Promise<void>
}

const answerBytes = 12
const deadlineMs = 10_000

/** Starts the keeper, which claims the ports. */
export async function startKeeper({ claims, batch, signal }: KeeperOptions): Promise<Keeper | ClaimFailure> {
  signal.throwIfAborted()
  // In a session of its own: the signals of a terminal are the pod's business.
  const child = spawn(libraryFile('keep-network'), [String(process.pid)], { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'], detached: true })
  const { stdin, stdout, pid } = child
  const failed = new Promise<never>((_, reject) => child.on('error', (cause) => reject(keeperError(cause.message))))
  failed.catch(() => undefined) // Told where an answer is awaited.
  if (stdin === null || stdout === null) throw new Error('the pipes of a child are missing')
  stdin.on('error', () => undefined) // A keeper that is gone does not answer: that tells.
  const end = (): void => void child.kill('SIGKILL')
  const ask = async (bytes: Uint8Array): Promise<readonly [number, number, number]> => {
    const timer = setTimeout(end, deadlineMs)
    signal.addEventListener('abort', end)
    try {
      stdin.write(bytes)
      const answer = await Promise.race([readAnswer(stdout), failed])
      signal.throwIfAborted()
      if (answer === undefined) throw keeperError('the process that holds its ports ended')
      return [answer.readUInt32LE(0), answer.readUInt32LE(4), answer.readUInt32LE(8)]
    } catch (error) {
      end()
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }
  const [refused, taken, index] = await ask(frame(claims, batch))
  if (taken !== 0) return { kind: 'claim', index, errno: errnoName(taken) }
  return {
    kind: 'keeper',
    process: identify(pid ?? 0),
    refusal: refused === 0 ? undefined : errnoName(refused),
    lead: async (places, more) => {
      const [rules, rights] = await ask(frame(places, more))
      if (rules !== 0) throw keeperError(`the kernel refused the packet rules: ${errnoName(rules)}`)
      if (rights !== 0) throw keeperError(`the process that holds its ports cannot give up its rights: ${errnoName(rights)}`)
      child.unref()
    },
    [Symbol.dispose]: end,
  }
}

async function readAnswer(stream: NodeJS.ReadableStream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  return await new Promise((resolve) => {
    const stop = (answer: Buffer | undefined): void => {
      stream.removeListener('data', take).removeListener('end', none)
      stream.pause()
      resolve(answer)
    }
    const take = (chunk: Buffer): void => {
      chunks.push(chunk)
      size += chunk.byteLength
      if (size >= answerBytes) stop(Buffer.concat(chunks))
    }
    const none = (): void => stop(undefined)
    stream.on('data', take).on('end', none).resume()
  })
}

/** SPEC: src/native/keep-network/frame.h. */
function frame(places: readonly (Place | undefined)[], batch: Uint8Array): Buffer {
  return Buffer.concat([u32(batch.byteLength), batch, u32(places.length), ...places.map(placeBytes)])
}

function placeBytes(place: Place | undefined): Buffer {
  const bytes = Buffer.alloc(20)
  if (place === undefined) return bytes
  const address = addressBytes(place.ip)
  bytes[0] = place.protocol === 'tcp' ? 6 : 17
  bytes[1] = address.byteLength === 4 ? 4 : 6
  bytes.writeUInt16LE(place.port, 2)
  address.copy(bytes, 4)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function errnoName(number: number): string {
  return getSystemErrorMap().get(-number)?.[0] ?? `error ${number}`
}

function keeperError(state: string): RktError {
  return new RktError('network-setup', `failed to setup network: ${state}`)
}
