import { packetTag, readPackets } from '../../src/trust/packets.ts'

const options = { what: 'the test signature', code: 'signature-invalid', maxPackets: 16 } as const

/** A binary signature with its only packet's body changed, and a header of the new form around it. */
export function withBody(signature: Uint8Array, change: (body: Buffer) => Buffer | number): Buffer {
  const [packet] = readPackets(signature, options)
  const body = Buffer.from(packet?.body ?? [])
  const changed = change(body)
  return packetOf(packetTag.signature, typeof changed === 'number' ? body : changed)
}

/** A packet with a five-octet length. */
export function packetOf(tag: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(6)
  header.writeUInt8(0xc0 | tag, 0)
  header.writeUInt8(0xff, 1)
  header.writeUInt32BE(body.byteLength, 2)
  return Buffer.concat([header, body])
}

/** The last number of an ECDSA or EdDSA signature, filled up in front to `width` octets. */
export function lastNumber(signature: Uint8Array, width: number): Buffer {
  const [packet] = readPackets(signature, options)
  const body = Buffer.from(packet?.body ?? [])
  const bytes = body.subarray(secondNumberAt(body) + 2)
  return Buffer.concat([Buffer.alloc(width - bytes.byteLength), bytes])
}

/** The signature with its last number replaced, written in canonical form. */
export function withLastNumber(signature: Uint8Array, value: Uint8Array): Buffer {
  const text = Buffer.from(value).toString('hex').replace(/^(?:00)+/, '')
  const bytes = Buffer.from(text, 'hex')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.byteLength === 0 ? 0 : bytes.byteLength * 8 - Math.clz32(bytes.readUInt8(0)) + 24)
  return withBody(signature, (body) => Buffer.concat([body.subarray(0, secondNumberAt(body)), length, bytes]))
}

/** Offset of the second number: after the fixed fields, two areas of subpackets, two octets of the hash, and the first number. */
function secondNumberAt(body: Buffer): number {
  const unhashedAt = 6 + body.readUInt16BE(4)
  const firstAt = unhashedAt + 2 + body.readUInt16BE(unhashedAt) + 2
  return firstAt + 2 + Math.ceil(body.readUInt16BE(firstAt) / 8)
}
