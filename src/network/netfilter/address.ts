import { isIP } from 'node:net'

/** The bytes of an address in text form: 4 or 16. */
export function addressBytes(text: string): Buffer {
  if (isIP(text) === 4) return Buffer.from(text.split('.').map(Number))
  if (isIP(text) !== 6) throw new Error(`not an address: ${text}`)
  const [plain = ''] = text.split('%')
  // The last 32 bits may be written as an IPv4 address.
  const v4 = /^(.*:)([0-9.]+\.[0-9.]+)$/.exec(plain)
  const tail = v4 === null ? undefined : addressBytes(v4[2] ?? '')
  const whole = v4 === null || tail === undefined ? plain : `${v4[1]}${tail.readUInt16BE(0).toString(16)}:${tail.readUInt16BE(2).toString(16)}`
  const [left = '', right] = whole.split('::')
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const head = groups(left)
  const end = right === undefined ? [] : groups(right)
  const all = [...head, ...Array.from({ length: 8 - head.length - end.length }, () => 0), ...end]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
