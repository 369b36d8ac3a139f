import { mutateJson } from './mutate-json.ts'
import type { Random } from './random.ts'

/** No mutation is longer: more only repeats what a reader does with this. */
const maxBytes = 128 * 1024

/** Texts that readers take for something special, or forget. */
const tokens: readonly Buffer[] = [
  ...['\0', '\n', '\r\n', '/', '..', '../', '//', './', ':', '::', '@', ',', '=', '%00', '%2f', '\\', '"', "'", '{', '}', '[', ']', ' ', '\t', '-', '--'],
  ...['__proto__', 'constructor', 'toString', 'null', 'true', '0', '-1', '-0', '1e400', '4294967295', '4294967296', '9007199254740993', '18446744073709551616', '0x10'],
  ...['sha256:', 'sha512-', 'a'.repeat(64), 'docker://', 'oci:', 'https://', 'file:///', '127.0.0.1', '[::1]', '\u00e9', '\u{1f600}', '\ud7ff', '\u202e', '-----BEGIN PGP SIGNATURE-----\n', '-----END PGP SIGNATURE-----'],
].map((text) => Buffer.from(text))
const oddBytes = [0x00, 0x01, 0x7f, 0x80, 0xbf, 0xc0, 0xed, 0xfe, 0xff]

export interface MutateOptions {
  readonly random: Random
  /** What pieces are taken from. */
  readonly others: readonly Buffer[]
}

/** The input, changed in one to five places; JSON often changes by its values. */
export function mutate(input: Buffer, { random, others }: MutateOptions): Buffer {
  let bytes = input
  for (let left = 1 + random.below(5); left > 0; left -= 1) {
    const json = random.below(2) === 0 ? mutateJson(bytes, random) : undefined
    bytes = json ?? mutateBytes(bytes, { random, others })
    if (bytes.byteLength > maxBytes) bytes = bytes.subarray(0, maxBytes)
  }
  return bytes
}

function mutateBytes(bytes: Buffer, { random, others }: MutateOptions): Buffer {
  const from = random.below(bytes.byteLength + 1)
  const to = Math.min(bytes.byteLength, from + random.below(random.of([2, 8, 64, 4096])))
  const replaced = (...middle: readonly Uint8Array[]): Buffer => Buffer.concat([bytes.subarray(0, from), ...middle, bytes.subarray(to)])
  switch (random.below(8)) {
    case 0: {
      const copy = Buffer.from(bytes)
      if (from < copy.byteLength) copy[from] = (copy[from] ?? 0) ^ (1 << random.below(8))
      return copy
    }
    case 1:
      return replaced(Buffer.of(random.of(oddBytes)))
    case 2:
      return replaced(random.of(tokens))
    case 3:
      return replaced()
    case 4:
      return bytes.subarray(0, from)
    case 5: {
      const other = random.of(others)
      const start = random.below(other.byteLength + 1)
      return replaced(other.subarray(start, start + random.below(random.of([4, 32, 1024]))))
    }
    case 6: {
      // Attack: work or depth that grows faster than the input.
      const piece = bytes.subarray(from, to)
      return replaced(...Array.from({ length: Math.min(random.of([2, 3, 50, 5000]), Math.floor(maxBytes / (piece.byteLength + 1))) }, () => piece))
    }
    default:
      return replaced(Buffer.from(String(random.of([random.below(10), random.below(70_000), 2 ** random.below(64), -random.below(300)]))))
  }
}
