/**
 * Writes tar archives block by block, also those that no honest program writes: any name, type, field bytes, extension records,
 * checksum or end.
 */

export type Bytes = string | Uint8Array

export interface RawMember {
  readonly name: Bytes
  /** One character; `0` unless said otherwise. */
  readonly type?: string
  readonly content?: Bytes
  readonly linkname?: Bytes
  readonly mode?: number | Bytes
  readonly uid?: number | Bytes
  readonly gid?: number | Bytes
  /** The size field: a number in octal, or raw bytes; the length of the content unless said otherwise. */
  readonly size?: number | Bytes
  readonly mtime?: number | Bytes
  readonly major?: number | Bytes
  readonly minor?: number | Bytes
  readonly prefix?: Bytes
  /** `posix` unless said otherwise; raw bytes for anything else. */
  readonly magic?: 'posix' | 'gnu' | Uint8Array
  /** Raw bytes of the checksum field instead of the right ones. */
  readonly checksum?: Bytes
  /** Leaves out the zeros that fill the last block of the content. */
  readonly unpadded?: boolean
}

const blockBytes = 512

/** Bytes of a text in which each character is one byte. */
export function raw(text: Bytes): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'utf8') : Buffer.from(text)
}

function put(block: Buffer, at: number, length: number, value: Bytes): void {
  raw(value).copy(block, at, 0, length)
}

function putNumber(block: Buffer, at: number, length: number, value: number | Bytes): void {
  if (typeof value === 'number') put(block, at, length, `${value.toString(8).padStart(length - 1, '0')}\0`)
  else put(block, at, length, value)
}

/** GNU base-256: the sign bit pattern, then the number, big-endian, filling `length` bytes. */
export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let rest = BigInt.asUintN(length * 8, value)
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 255n)
    rest >>= 8n
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80
  return bytes
}

/** One header block and its content. */
export function rawMember(member: RawMember): Buffer {
  const content = raw(member.content ?? '')
  const block = Buffer.alloc(blockBytes)
  put(block, 0, 100, member.name)
  putNumber(block, 100, 8, member.mode ?? (member.type === '5' ? 0o755 : 0o644))
  putNumber(block, 108, 8, member.uid ?? 0)
  putNumber(block, 116, 8, member.gid ?? 0)
  putNumber(block, 124, 12, member.size ?? content.byteLength)
  putNumber(block, 136, 12, member.mtime ?? 1_000_000_000)
  put(block, 156, 1, member.type ?? '0')
  put(block, 157, 100, member.linkname ?? '')
  put(block, 257, 8, member.magic === 'gnu' ? 'ustar  \0' : member.magic === undefined || member.magic === 'posix' ? 'ustar\x0000' : member.magic)
  putNumber(block, 329, 8, member.major ?? 0)
  putNumber(block, 337, 8, member.minor ?? 0)
  put(block, 345, 155, member.prefix ?? '')
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.fill(0, 148, 156)
  put(block, 148, 8, member.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `)
  const padding = member.unpadded === true ? 0 : -content.byteLength & (blockBytes - 1)
  return Buffer.concat([block, content, Buffer.alloc(padding)])
}

/** One pax record with its true length. */
export function paxRecord(key: string, value: Bytes): Buffer {
  const rest = Buffer.concat([raw(` ${key}=`), raw(value), raw('\n')])
  let length = rest.byteLength + 1
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength
  return Buffer.concat([raw(String(length)), rest])
}

/** An extended header (`x`), or a global one (`g`), with the given records. */
export function paxHeader(records: readonly Uint8Array[], type: 'x' | 'g' = 'x'): Buffer {
  return rawMember({ name: 'PaxHeaders/0', type, content: Buffer.concat(records) })
}

/** A GNU long name (`L`) or long link (`K`). */
export function gnuLong(text: Bytes, type: 'L' | 'K' = 'L'): Buffer {
  return rawMember({ name: '././@LongLink', type, content: Buffer.concat([raw(text), raw('\0')]), magic: 'gnu' })
}

/** Two blocks of zeros. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockBytes)

/** The members that make any archive an ACI: a manifest and the directory `rootfs`. */
export const aciHead: Buffer = Buffer.concat([
  rawMember({ name: 'manifest', content: '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/raw"}' }),
  rawMember({ name: 'rootfs', type: '5' }),
])

/** A whole uncompressed ACI with these further members, given as options or as ready blocks. */
export function rawAci(members: readonly (RawMember | Uint8Array)[]): Buffer {
  return rawTar([aciHead, ...members])
}

/** Members as they are, and the end: a layer of an OCI image. */
export function rawTar(members: readonly (RawMember | Uint8Array)[]): Buffer {
  const blocks = members.map((member) => (member instanceof Uint8Array ? member : rawMember(member)))
  return Buffer.concat([...blocks, endOfArchive])
}
