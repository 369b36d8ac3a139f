export type MemberKind = 'file' | 'hard-link' | 'symbolic-link' | 'directory' | 'pax' | 'long-name' | 'long-link' | 'other'

/** What a header block says. */
export interface Member {
  readonly kind: MemberKind
  readonly name: string
  readonly link: string
  readonly size: number
}

const kinds: ReadonlyMap<string, MemberKind> = new Map([
  ['0', 'file'],
  ['\0', 'file'],
  ['1', 'hard-link'],
  ['2', 'symbolic-link'],
  ['3', 'other'],
  ['4', 'other'],
  ['5', 'directory'],
  ['6', 'other'],
  ['x', 'pax'],
  ['L', 'long-name'],
  ['K', 'long-link'],
])

/** Reads a ustar header block, or says what is wrong with it. SPEC: POSIX.1-2008 pax, and GNU's base-256 numbers. */
export function readHeader(block: Uint8Array): Member | string {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  const sum = octal(bytes.subarray(148, 156))
  let actual = 8 * 0x20
  for (const [index, byte] of bytes.entries()) if (index < 148 || index >= 156) actual += byte
  if (sum !== actual) return 'a header has a wrong checksum'
  const type = bytes.toString('latin1', 156, 157)
  const kind = kinds.get(type)
  if (kind === undefined) return `a member has type ${JSON.stringify(type)}; expected a file, link or directory`
  const size = kind === 'hard-link' || kind === 'symbolic-link' || kind === 'directory' || kind === 'other' ? 0 : sizeOf(bytes.subarray(124, 136))
  if (size === undefined) return 'a header has a size that is no number'
  const posix = bytes.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = posix ? textOf(bytes.subarray(345, 500)) : ''
  const name = textOf(bytes.subarray(0, 100))
  return { kind, name: prefix === '' ? name : `${prefix}/${name}`, link: textOf(bytes.subarray(157, 257)), size }
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.byteLength : end)
}

function octal(field: Buffer): number | undefined {
  const digits = /^[ ]*([0-7]{1,12})[ \0]*$/.exec(field.toString('latin1'))?.[1]
  return digits === undefined ? undefined : Number.parseInt(digits, 8)
}

function sizeOf(field: Buffer): number | undefined {
  if (field[0] !== 0x80) return octal(field)
  const value = field.subarray(4).readBigUInt64BE()
  return field.subarray(1, 4).every((byte) => byte === 0) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
}
