import { RktError } from '../../base/index.ts'

/** One field of a message: its number, and what stands there, not yet interpreted. */
export type WireField =
  | { readonly number: number; readonly kind: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly kind: 'bytes'; readonly value: Uint8Array }
  /** A number of a fixed size, of which no message of ours has any. */
  | { readonly number: number; readonly kind: 'fixed' }

/** Reads the fields of one message, in their order. */
export type ReadField = (field: WireField) => void

/**
 * Goes through the fields of a message; fields that `read` does not know are its to pass over, as proto3 wants.
 *
 * @throws RktError `usage` for bytes that are no message.
 */
export function readMessage(bytes: Uint8Array, read: ReadField): void {
  const cursor: Cursor = { bytes, at: 0 }
  while (cursor.at < bytes.length) read(readField(cursor))
}

interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

function readField(cursor: Cursor): WireField {
  const key = readVarint(cursor)
  const number = Number(key >> 3n)
  if (number < 1 || number > 0x1fff_ffff) throw malformed('a field has no valid number')
  switch (Number(key & 7n)) {
    case 0:
      return { number, kind: 'varint', value: readVarint(cursor) }
    case 1:
      take(cursor, 8n)
      return { number, kind: 'fixed' }
    case 2:
      return { number, kind: 'bytes', value: take(cursor, readVarint(cursor)) }
    case 5:
      take(cursor, 4n)
      return { number, kind: 'fixed' }
    default:
      // Groups, the types 3 and 4, were never part of proto3; they could also be nested without end.
      throw malformed('a field has an unknown type')
  }
}

/** At most ten bytes; what does not fit into 64 bits is cut off, as other readers do. */
function readVarint(cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.bytes[cursor.at]
    if (byte === undefined) throw malformed('it ends within a number')
    cursor.at += 1
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asUintN(64, value)
  }
  throw malformed('a number is longer than ten bytes')
}

function take(cursor: Cursor, size: bigint): Uint8Array {
  const left = cursor.bytes.length - cursor.at
  if (size > BigInt(left)) throw malformed('it ends within a field')
  const start = cursor.at
  cursor.at += Number(size)
  return cursor.bytes.subarray(start, cursor.at)
}

/** The numbers of a repeated field, which may come one by one or packed. */
export function numbersOf(field: WireField): number[] {
  if (field.kind === 'varint') return [toNumber(field)]
  if (field.kind !== 'bytes') throw malformed('a number is of another type')
  const cursor: Cursor = { bytes: field.value, at: 0 }
  const numbers: number[] = []
  while (cursor.at < field.value.length) numbers.push(Number(BigInt.asIntN(64, readVarint(cursor))))
  return numbers
}

/** A number of type bool, int32, int64 or an enumeration. */
export function toNumber(field: WireField): number {
  if (field.kind !== 'varint') throw malformed('a number is of another type')
  return Number(BigInt.asIntN(64, field.value))
}

export function toBytes(field: WireField): Uint8Array {
  if (field.kind !== 'bytes') throw malformed('a text or message is of another type')
  return field.value
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function toText(field: WireField): string {
  const bytes = toBytes(field)
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw malformed('a text is not UTF-8', cause)
  }
}

function malformed(state: string, cause?: unknown): RktError {
  return new RktError('usage', `cannot read message: ${state}`, { cause })
}
