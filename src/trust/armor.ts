import { RktError } from '../base/index.ts'

/** The two kinds of armoured block that this room reads; names as in RFC 9580 section 6.2. */
export type ArmorType = 'PGP SIGNATURE' | 'PGP PUBLIC KEY BLOCK'

export interface DearmorOptions {
  readonly type: ArmorType
  /** What is being read, for messages. */
  readonly what: string
  /** Whether lines outside the block are skipped, as key servers write them. */
  readonly around: 'blank' | 'text'
}

const headerLine = /^[A-Za-z][A-Za-z0-9-]{0,31}: [\x20-\x7e]{0,512}$/
const base64Line = /^[A-Za-z0-9+/]{1,76}={0,2}$/
const checksumLine = /^=([A-Za-z0-9+/]{4})$/

/**
 * The bytes of every armoured block in `bytes`, in order; input that is not ASCII armour is returned as it is, as one block.
 *
 * Stricter than RFC 9580: base64 must be canonical, a checksum that is there must be right, the end line must be there.
 *
 * @throws RktError `signature-invalid` or `key-invalid`, by the wanted type.
 */
export function dearmor(bytes: Uint8Array, options: DearmorOptions): Uint8Array[] {
  const first = bytes[0]
  // SPEC: RFC 9580 section 4.2: every packet starts with the high bit set, and armour is ASCII.
  if (first !== undefined && first >= 0x80) return [bytes]
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').split(/\r?\n/)
  const blocks: Uint8Array[] = []
  let at = 0
  while (at < lines.length) {
    const line = trimmed(lines[at])
    if (line === `-----BEGIN ${options.type}-----`) {
      const block = readBlock(lines, at + 1, options)
      blocks.push(block.bytes)
      at = block.next
    } else if (line === '' || (options.around === 'text' && !line.startsWith('-----'))) {
      at += 1
    } else {
      throw fault(options, `line ${at + 1} is not armour`)
    }
  }
  if (blocks.length === 0) throw fault(options, 'no armoured block')
  return blocks
}

/** Armours `bytes` with a checksum, in lines of 64 letters, as GnuPG does. */
export function armor(type: ArmorType, bytes: Uint8Array): string {
  const body = Buffer.from(bytes).toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN ${type}-----\n\n${body}\n=${checksum(bytes)}\n-----END ${type}-----\n`
}

function readBlock(lines: readonly string[], start: number, options: DearmorOptions): { bytes: Uint8Array; next: number } {
  let at = start
  while (headerLine.test(lines[at] ?? '')) at += 1
  if (at >= lines.length || trimmed(lines[at]) !== '') throw fault(options, `line ${at + 1}: no blank line after the armour headers`)
  at += 1
  let base64 = ''
  while (base64Line.test(lines[at] ?? '')) {
    base64 += lines[at] ?? ''
    at += 1
  }
  const expected = checksumLine.exec(lines[at] ?? '')?.[1]
  if (expected !== undefined) at += 1
  if (trimmed(lines[at]) !== `-----END ${options.type}-----`) throw fault(options, `line ${at + 1}: no end of the armoured block`)
  const bytes = Buffer.from(base64, 'base64')
  // Node skips what it does not understand; only what it would write itself is unambiguous.
  if (bytes.toString('base64') !== base64) throw fault(options, 'damaged base64')
  if (expected !== undefined && checksum(bytes) !== expected) throw fault(options, 'armour checksum does not match')
  return { bytes, next: at + 1 }
}

/** Without the blanks that mail and editors leave at the end of a line. */
function trimmed(line: string | undefined): string {
  return (line ?? '').replace(/[ \t]+$/, '')
}

/** CRC-24 of RFC 9580 section 6.1.1, in base64. */
function checksum(bytes: Uint8Array): string {
  let crc = 0xb704ce
  for (const byte of bytes) {
    crc ^= byte << 16
    for (let bit = 0; bit < 8; bit += 1) {
      crc <<= 1
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb
    }
  }
  return Buffer.from([(crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff]).toString('base64')
}

function fault(options: DearmorOptions, state: string): RktError {
  const code = options.type === 'PGP SIGNATURE' ? 'signature-invalid' : 'key-invalid'
  return new RktError(code, `cannot read ${options.what}: ${state}; expected -----BEGIN ${options.type}-----`)
}
