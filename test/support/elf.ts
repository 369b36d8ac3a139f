import { readFileSync } from 'node:fs'

const PT_DYNAMIC = 2
const PT_INTERP = 3
const DT_NEEDED = 1n
const programHeaderBytes = 56

export interface ElfFacts {
  /** Whether another program (ld.so) loads it. */
  readonly hasInterpreter: boolean
  /** How many shared libraries it names. */
  readonly neededLibraries: number
}

/** What a 64-bit little-endian ELF file says about how it is loaded. */
export function readElf(path: string): ElfFacts {
  const bytes = readFileSync(path)
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) throw new Error(`${path} is no 64-bit little-endian ELF file`)
  const start = Number(bytes.readBigUInt64LE(32))
  const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => bytes.subarray(start + index * programHeaderBytes))
  const dynamic = headers.find((header) => header.readUInt32LE(0) === PT_DYNAMIC)
  return {
    hasInterpreter: headers.some((header) => header.readUInt32LE(0) === PT_INTERP),
    neededLibraries: dynamic === undefined ? 0 : countNeeded(bytes, Number(dynamic.readBigUInt64LE(8)), Number(dynamic.readBigUInt64LE(32))),
  }
}

function countNeeded(bytes: Buffer, offset: number, size: number): number {
  let count = 0
  for (let at = offset; at < offset + size; at += 16) if (bytes.readBigUInt64LE(at) === DT_NEEDED) count += 1
  return count
}
