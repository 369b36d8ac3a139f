import { timingSafeEqual } from 'node:crypto'

/**
 * Opens what NaCl's `crypto_secretbox` closed (XSalsa20 and Poly1305), which Node's own library does not have; undefined for a wrong
 * key or changed bytes. For key files alone: small, and never in a loop. SPEC: NaCl, "Cryptography in NaCl" sections 7 to 10.
 */
export function openSecretbox(box: Uint8Array, { key, nonce }: { readonly key: Uint8Array; readonly nonce: Uint8Array }): Uint8Array | undefined {
  if (key.byteLength !== 32 || nonce.byteLength !== 24 || box.byteLength < 16) return undefined
  const text = box.subarray(16)
  const stream = xsalsa20(32 + text.byteLength, { key, nonce })
  if (!timingSafeEqual(poly1305(text, stream.subarray(0, 32)), box.subarray(0, 16))) return undefined
  return text.map((byte, index) => byte ^ (stream[32 + index] ?? 0))
}

interface Cipher {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

const constants = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const

function xsalsa20(length: number, { key, nonce }: Cipher): Uint8Array {
  const first = rounds(block(words(key), words(nonce.subarray(0, 16))))
  const subkey = [0, 5, 10, 15, 6, 7, 8, 9].map((index) => first[index] ?? 0)
  const [n0 = 0, n1 = 0] = words(nonce.subarray(16))
  const stream = Buffer.alloc(Math.ceil(length / 64) * 64)
  for (let counter = 0; counter * 64 < length; counter += 1) {
    const input = block(subkey, [n0, n1, counter, 0])
    rounds(input).forEach((word, index) => stream.writeUInt32LE((word + (input[index] ?? 0)) >>> 0, counter * 64 + index * 4))
  }
  return stream.subarray(0, length)
}

/** The constants on the diagonal, the key in two halves, nonce and counter between them. */
function block(key: readonly number[], middle: readonly number[]): number[] {
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0, k4 = 0, k5 = 0, k6 = 0, k7 = 0] = key
  const [m0 = 0, m1 = 0, m2 = 0, m3 = 0] = middle
  const [c0, c1, c2, c3] = constants
  return [c0, k0, k1, k2, k3, c1, m0, m1, m2, m3, c2, k4, k5, k6, k7, c3]
}

/** Quarters of a double round: first columns, then rows. */
const quarters = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const

function rounds(input: readonly number[]): Uint32Array {
  const x = Uint32Array.from(input)
  const mix = (to: number, from: readonly [number, number], by: number): void => {
    const sum = ((x[from[0]] ?? 0) + (x[from[1]] ?? 0)) >>> 0
    x[to] = (x[to] ?? 0) ^ ((sum << by) | (sum >>> (32 - by)))
  }
  for (let round = 0; round < 10; round += 1) {
    for (const [a, b, c, d] of quarters) {
      mix(b, [a, d], 7)
      mix(c, [b, a], 9)
      mix(d, [c, b], 13)
      mix(a, [d, c], 18)
    }
  }
  return x
}

function words(bytes: Uint8Array): number[] {
  const view = Buffer.from(bytes)
  return Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.readUInt32LE(index * 4))
}

const prime = (1n << 130n) - 5n
const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn

function poly1305(text: Uint8Array, key: Uint8Array): Uint8Array {
  const r = littleEndian(key.subarray(0, 16)) & clamp
  let sum = 0n
  for (let at = 0; at < text.byteLength; at += 16) {
    const part = text.subarray(at, at + 16)
    sum = ((sum + littleEndian(part) + (1n << BigInt(8 * part.byteLength))) * r) % prime
  }
  const tag = (sum + littleEndian(key.subarray(16, 32))) & ((1n << 128n) - 1n)
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse()
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
