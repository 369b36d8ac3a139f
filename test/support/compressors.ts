import { execFileSync } from 'node:child_process'
import { crc32 } from 'node:zlib'

function filter(program: string, args: readonly string[]): (bytes: Uint8Array) => Buffer {
  return (input) => execFileSync(program, args, { input, maxBuffer: 1 << 30 })
}

export const xz: (bytes: Uint8Array) => Buffer = filter('xz', ['--stdout', '--threads=1'])
export const bzip2: (bytes: Uint8Array) => Buffer = filter('bzip2', ['--stdout'])
export const zstd: (bytes: Uint8Array) => Buffer = filter('zstd', ['--stdout', '--quiet'])

/** One zstd frame (RFC 8878) of stored blocks that asks for a window of 2^windowLog bytes. */
export function zstdFrame(bytes: Uint8Array, windowLog: number): Buffer {
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (windowLog - 10) << 3])]
  const most = 65_536
  for (let at = 0; at < bytes.length; at += most) {
    const block = bytes.subarray(at, at + most)
    const header = Buffer.alloc(3)
    header.writeUIntLE((block.length << 3) | (at + most >= bytes.length ? 1 : 0), 0, 3)
    parts.push(header, Buffer.from(block))
  }
  return Buffer.concat(parts)
}

/** An xz stream whose header asks for a dictionary of 3 GiB: the property byte of the only filter, and its checksum again. */
export function xzWithHugeDictionary(bytes: Uint8Array): Buffer {
  const stream = xz(bytes)
  const header = 12
  const size = (stream[header] ?? 0) * 4 + 4
  stream[header + 4] = 39
  stream.writeUInt32LE(crc32(stream.subarray(header, header + size - 4)), header + size - 4)
  return stream
}
