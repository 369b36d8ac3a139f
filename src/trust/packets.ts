import { RktError, type ErrorCode } from '../base/index.ts'

/** One OpenPGP packet: its type, its content, and its bytes with the header. */
export interface Packet {
  readonly tag: number
  readonly body: Uint8Array
  readonly whole: Uint8Array
}

export interface ReadPacketsOptions {
  readonly what: string
  readonly code: ErrorCode
  readonly maxPackets: number
}

/** Packet types of RFC 9580 section 5 that are named here. */
export const packetTag = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  marker: 10,
  trust: 12,
  userID: 13,
  publicSubkey: 14,
  userAttribute: 17,
  padding: 21,
} as const

/**
 * Cuts `bytes` into packets up to the very last byte; lengths of unknown or partial extent are refused, since only data packets
 * need them.
 *
 * @throws RktError with `options.code`, or `limit-exceeded`.
 */
export function readPackets(bytes: Uint8Array, options: ReadPacketsOptions): Packet[] {
  const packets: Packet[] = []
  let at = 0
  while (at < bytes.byteLength) {
    if (packets.length >= options.maxPackets) {
      throw new RktError('limit-exceeded', `cannot read ${options.what}: more than ${options.maxPackets} OpenPGP packets`)
    }
    const header = readHeader(bytes, at)
    if (header === undefined || header.end > bytes.byteLength) {
      throw new RktError(options.code, `cannot read ${options.what}: damaged OpenPGP packet at offset ${at}`)
    }
    packets.push({ tag: header.tag, body: bytes.subarray(header.start, header.end), whole: bytes.subarray(at, header.end) })
    at = header.end
  }
  if (packets.length === 0) throw new RktError(options.code, `cannot read ${options.what}: empty`)
  return packets
}

interface Header {
  readonly tag: number
  readonly start: number
  readonly end: number
}

/** SPEC: RFC 9580 section 4.2. */
function readHeader(bytes: Uint8Array, at: number): Header | undefined {
  const first = bytes[at]
  if (first === undefined || (first & 0x80) === 0) return undefined
  if ((first & 0x40) === 0) {
    const width = [1, 2, 4][first & 3]
    if (width === undefined) return undefined
    return headerWith((first >> 2) & 0x0f, at + 1 + width, bigEndian(bytes, { at: at + 1, width }))
  }
  const length = readLength(bytes, at + 1)
  return length === undefined ? undefined : headerWith(first & 0x3f, length.next, length.value)
}

function headerWith(tag: number, start: number, length: number | undefined): Header | undefined {
  return length === undefined || tag === 0 ? undefined : { tag, start, end: start + length }
}

/** A length of one, two or five octets, as new-format packets and subpackets write it; undefined when cut off or partial. */
export function readLength(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  if (first < 192) return { value: first, next: at + 1 }
  if (first < 224) {
    const second = bytes[at + 1]
    return second === undefined ? undefined : { value: ((first - 192) << 8) + second + 192, next: at + 2 }
  }
  if (first !== 255) return undefined
  const value = bigEndian(bytes, { at: at + 1, width: 4 })
  return value === undefined ? undefined : { value, next: at + 5 }
}

/** An unsigned big-endian number of `width` octets; undefined when the bytes end before it does. */
export function bigEndian(bytes: Uint8Array, { at, width }: { readonly at: number; readonly width: number }): number | undefined {
  if (at + width > bytes.byteLength) return undefined
  let value = 0
  for (const byte of bytes.subarray(at, at + width)) value = value * 256 + byte
  return value
}
