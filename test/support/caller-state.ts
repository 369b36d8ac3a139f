/** The record that the front-end leaves for the launcher (src/native/caller-state.h). */
export interface CallerState {
  readonly ignored: readonly number[]
  readonly blocked: readonly number[]
  readonly umask: number
  readonly limits: readonly { readonly soft: bigint; readonly hard: bigint }[]
  readonly descriptors: readonly { readonly fd: number; readonly descriptorFlags: number; readonly statusFlags: number }[]
}

/** Reads a record whole; throws when bytes are missing or left. */
export function readCallerState(bytes: Buffer): CallerState {
  if (bytes.toString('latin1', 0, 4) !== 'RKTC' || bytes.readUInt32LE(4) !== 1) throw new Error('no record of version 1')
  const limitCount = bytes.readUInt32LE(28)
  const descriptorsAt = 32 + limitCount * 16
  const descriptorCount = bytes.readUInt32LE(descriptorsAt)
  if (bytes.byteLength !== descriptorsAt + 4 + descriptorCount * 12) throw new Error(`a record of ${bytes.byteLength} bytes`)
  return {
    ignored: signalsOf(bytes.readBigUInt64LE(8)),
    blocked: signalsOf(bytes.readBigUInt64LE(16)),
    umask: bytes.readUInt32LE(24),
    limits: Array.from({ length: limitCount }, (_, index) => ({
      soft: bytes.readBigUInt64LE(32 + index * 16),
      hard: bytes.readBigUInt64LE(40 + index * 16),
    })),
    descriptors: Array.from({ length: descriptorCount }, (_, index) => {
      const at = descriptorsAt + 4 + index * 12
      return { fd: bytes.readInt32LE(at), descriptorFlags: bytes.readInt32LE(at + 4), statusFlags: bytes.readInt32LE(at + 8) }
    }),
  }
}

function signalsOf(bits: bigint): readonly number[] {
  return Array.from({ length: 64 }, (_, index) => index + 1).filter((signal) => ((bits >> BigInt(signal - 1)) & 1n) === 1n)
}
