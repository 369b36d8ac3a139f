import { createHash } from 'node:crypto'
import { inflateRawSync, inflateSync } from 'node:zlib'
import { limits, RktError } from '../../base/index.ts'
import { readDetachedSignatures, type DetachedSignature } from '../detached-signature.ts'
import { bigEndian } from '../packets.ts'
import { damaged, readMessagePackets, type MessagePacket } from './message-packets.ts'

/** A signed OpenPGP message, read but not believed: what it says, and one signature over it. */
export interface SignedMessage {
  readonly content: Uint8Array
  readonly signature: DetachedSignature
  /** Hash over the content and the signature's trailer. */
  readonly digest: Uint8Array
}

const tags = { signature: 2, onePass: 4, compressed: 8, literal: 11 } as const

/**
 * Reads a message of exactly one signer: one-pass signature, data, signature, perhaps compressed as a whole. Memory is bounded by
 * `limits.signatureBytes`, before and after decompression; nothing of the content is looked at.
 *
 * @throws RktError `signature-invalid` naming what is not accepted, or `limit-exceeded`.
 */
export function readSignedMessage(bytes: Uint8Array): SignedMessage {
  if (bytes.byteLength > limits.signatureBytes) {
    throw new RktError('limit-exceeded', `cannot read the signature: ${bytes.byteLength} bytes; expected at most ${limits.signatureBytes}`)
  }
  const outer = readMessagePackets(bytes)
  const [first] = outer
  const packets = first?.tag === tags.compressed ? readMessagePackets(decompress(first, outer)) : outer
  const [onePass, literal, last, more] = packets
  if (onePass?.tag !== tags.onePass || literal?.tag !== tags.literal || last?.tag !== tags.signature || more !== undefined) {
    throw damaged(`packets of types ${packets.map(({ tag }) => tag).join(', ') || 'none'}`)
  }
  const signature = readSignature(last)
  checkOnePass(onePass.body, { last, signature })
  const content = literalContent(literal.body)
  return { content, signature, digest: createHash(signature.hash).update(content).update(signature.trailer).digest() }
}

/** SPEC: RFC 9580 section 5.6. BZip2, which nothing writes unasked, is refused. */
function decompress({ body }: MessagePacket, outer: readonly MessagePacket[]): Uint8Array {
  if (outer.length !== 1) throw damaged('something beside its compressed packet')
  const inflate = body[0] === 1 ? inflateRawSync : body[0] === 2 ? inflateSync : undefined
  if (inflate === undefined) throw damaged(`compression of type ${body[0] ?? 'none'}`)
  try {
    return inflate(body.subarray(1), { maxOutputLength: limits.signatureBytes })
  } catch (cause) {
    if (cause instanceof RangeError) throw new RktError('limit-exceeded', `cannot read the signature: more than ${limits.signatureBytes} bytes when decompressed`, { cause })
    throw damaged('damaged compressed packet')
  }
}

/** The reader of detached signatures takes the packet, with a header of its own. */
function readSignature({ body }: MessagePacket): DetachedSignature {
  const header = Buffer.alloc(5)
  header.writeUInt8(0x80 | (tags.signature << 2) | 2, 0)
  header.writeUInt32BE(body.byteLength, 1)
  const [signature] = readDetachedSignatures(Buffer.concat([header, body]))
  if (signature === undefined) throw damaged('no signature packet')
  return signature
}

/** SPEC: RFC 9580 section 5.4. It must announce the very signature that follows, so that both ends of the message agree. */
function checkOnePass(body: Uint8Array, { last, signature }: { readonly last: MessagePacket; readonly signature: DetachedSignature }): void {
  const [version, type, hash, publicKey] = body
  if (body.byteLength !== 13 || version !== 3) throw damaged(`one-pass signature of version ${version ?? 'none'}`)
  if (body[12] !== 1) throw damaged('one-pass signature of a nested message')
  const keyID = Buffer.from(body.subarray(4, 12)).toString('hex').toUpperCase()
  if (type !== last.body[1] || publicKey !== last.body[2] || hash !== last.body[3] || keyID !== signature.issuerKeyID) {
    throw damaged('one-pass signature that announces another signature')
  }
}

/** SPEC: RFC 9580 section 5.9: format, name, date, data. */
function literalContent(body: Uint8Array): Uint8Array {
  const [format, nameLength] = body
  if (format === undefined || nameLength === undefined || !'btu'.includes(String.fromCharCode(format))) throw damaged('data packet of an unknown format')
  const start = 2 + nameLength + 4
  if (bigEndian(body, { at: 2 + nameLength, width: 4 }) === undefined) throw damaged('data packet that is cut off')
  return body.subarray(start)
}
