import { RktError } from '../../base/index.ts'
import { bigEndian } from '../packets.ts'

/** One packet of an OpenPGP message; `body` is put together when it came in parts. */
export interface MessagePacket {
  readonly tag: number
  readonly body: Uint8Array
}

/** Packets that a message may have: a one-pass signature, the data, the signature, or one compressed packet around them. */
const maxPackets = 3

/**
 * Cuts an OpenPGP message into packets. Unlike keys and detached signatures, data may come in parts of its own length each, or, as the
 * last packet of the old form, up to the end. SPEC: RFC 9580 section 4.2.
 *
 * @throws RktError `signature-invalid`, also for a fourth packet.
 */
export function readMessagePackets(bytes: Uint8Array): readonly MessagePacket[] {
  const packets: MessagePacket[] = []
  let at = 0
  while (at < bytes.byteLength) {
    if (packets.length === maxPackets) throw damaged('more packets than one signature needs')
    const first = bytes[at] ?? 0
    if ((first & 0x80) === 0) throw damaged(`no packet at offset ${at}`)
    const read = (first & 0x40) === 0 ? readOld(bytes, at) : readNew(bytes, at)
    packets.push(read.packet)
    at = read.next
  }
  return packets
}

interface Read {
  readonly packet: MessagePacket
  readonly next: number
}

function readOld(bytes: Uint8Array, at: number): Read {
  const first = bytes[at] ?? 0
  const tag = (first >> 2) & 0x0f
  const width = [1, 2, 4][first & 3]
  const length = width === undefined ? bytes.byteLength - at - 1 : bigEndian(bytes, { at: at + 1, width })
  const start = at + 1 + (width ?? 0)
  if (length === undefined || start + length > bytes.byteLength) throw damaged(`packet at offset ${at} is cut off`)
  return { packet: { tag, body: bytes.subarray(start, start + length) }, next: start + length }
}

/** Every part moves forward by at least one octet, so that the loop ends with the bytes. */
function readNew(bytes: Uint8Array, at: number): Read {
  const parts: Uint8Array[] = []
  let next = at + 1
  for (;;) {
    const length = readPartLength(bytes, next)
    if (length === undefined || length.start + length.value > bytes.byteLength) throw damaged(`packet at offset ${at} is cut off`)
    parts.push(bytes.subarray(length.start, length.start + length.value))
    next = length.start + length.value
    if (!length.partial) break
  }
  return { packet: { tag: (bytes[at] ?? 0) & 0x3f, body: parts.length === 1 ? (parts[0] ?? new Uint8Array()) : Buffer.concat(parts) }, next }
}

interface PartLength {
  readonly value: number
  readonly start: number
  readonly partial: boolean
}

function readPartLength(bytes: Uint8Array, at: number): PartLength | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  if (first < 192) return { value: first, start: at + 1, partial: false }
  if (first < 224) {
    const second = bytes[at + 1]
    return second === undefined ? undefined : { value: ((first - 192) << 8) + second + 192, start: at + 2, partial: false }
  }
  if (first < 255) return { value: 2 ** (first & 0x1f), start: at + 1, partial: true }
  const value = bigEndian(bytes, { at: at + 1, width: 4 })
  return value === undefined ? undefined : { value, start: at + 5, partial: false }
}

/** The refusal of a message. */
export function damaged(state: string): RktError {
  return new RktError('signature-invalid', `cannot use the signature: ${state}; expected an OpenPGP message with one signature over the JSON of a container signature`)
}
