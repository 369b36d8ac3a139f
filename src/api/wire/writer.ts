/**
 * Writes a message in the binary form of protocol buffers; as in proto3, a field with its default value is left out.
 * SPEC: https://protobuf.dev/programming-guides/encoding/
 */
export class MessageWriter {
  readonly #parts: Uint8Array[] = []

  text(number: number, value: string | undefined): this {
    return value === undefined || value === '' ? this : this.#sized(number, Buffer.from(value))
  }

  texts(number: number, values: readonly string[]): this {
    for (const value of values) this.#sized(number, Buffer.from(value))
    return this
  }

  bytes(number: number, value: Uint8Array | undefined): this {
    return value === undefined || value.length === 0 ? this : this.#sized(number, value)
  }

  /** A message within this one; it is written even when it is empty. */
  message(number: number, value: MessageWriter | undefined): this {
    return value === undefined ? this : this.#sized(number, value.finish())
  }

  messages(number: number, values: readonly MessageWriter[]): this {
    for (const value of values) this.#sized(number, value.finish())
    return this
  }

  /** Of type bool, int32, int64 or an enumeration. */
  integer(number: number, value: number | bigint | boolean): this {
    const whole = BigInt(value)
    if (whole !== 0n) this.#parts.push(varint(BigInt(number) << 3n), varint(BigInt.asUintN(64, whole)))
    return this
  }

  /** Of type sint32: small whatever the sign. */
  signed(number: number, value: number): this {
    return this.integer(number, value < 0 ? -2 * value - 1 : 2 * value)
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts)
  }

  #sized(number: number, value: Uint8Array): this {
    this.#parts.push(varint((BigInt(number) << 3n) | 2n), varint(BigInt(value.length)), value)
    return this
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
