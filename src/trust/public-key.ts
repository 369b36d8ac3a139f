import { createHash } from 'node:crypto'
import { limits, RktError } from '../base/index.ts'
import { dearmor } from './armor.ts'
import { packetTag, readPackets, type Packet } from './packets.ts'

/** One OpenPGP public key as found in a file: cut out, identified, not yet judged. */
export interface PublicKey {
  /** Of the primary key: 40 lower-case hexadecimal digits. */
  readonly fingerprint: string
  /** Of the subkeys, in file order. */
  readonly subkeyFingerprints: readonly string[]
  /** The binary packets of this key and no other. */
  readonly bytes: Uint8Array
}

const maxPackets = 20_000

/**
 * Reads every public key of a file, armoured or binary.
 *
 * @throws RktError `key-invalid` for secret keys, versions other than 4, and anything else that is not a public key;
 * `limit-exceeded` past `limits.keyBytes`.
 */
export function readPublicKeys(bytes: Uint8Array, what: string): PublicKey[] {
  if (bytes.byteLength > limits.keyBytes) {
    throw new RktError('limit-exceeded', `cannot read ${what}: ${bytes.byteLength} bytes; expected at most ${limits.keyBytes}`)
  }
  const blocks = dearmor(bytes, { type: 'PGP PUBLIC KEY BLOCK', what, around: 'text' })
  const packets = readPackets(Buffer.concat(blocks), { what, code: 'key-invalid', maxPackets })
  const groups: Packet[][] = []
  for (const packet of packets) {
    if (packet.tag === packetTag.secretKey || packet.tag === packetTag.secretSubkey) {
      throw new RktError('key-invalid', `cannot read ${what}: it holds a secret key; expected public keys only`)
    }
    if (packet.tag === packetTag.publicKey) groups.push([packet])
    else groups.at(-1)?.push(packet)
  }
  if (packets[0]?.tag !== packetTag.publicKey) throw new RktError('key-invalid', `cannot read ${what}: it does not start with a public key`)
  return groups.map((group) => readKey(group, what))
}

function readKey(packets: readonly Packet[], what: string): PublicKey {
  if (packets.some(isOldRevocation)) {
    throw new RktError('key-invalid', `cannot read ${what}: revocation in a version 3 signature, which cannot be checked; expected version 4`)
  }
  const fingerprints = packets
    .filter(({ tag }) => tag === packetTag.publicKey || tag === packetTag.publicSubkey)
    .map(({ body }) => fingerprintOf(body, what))
  const [fingerprint, ...subkeyFingerprints] = fingerprints
  if (fingerprint === undefined) throw new Error('a group of packets starts with its public key')
  return { fingerprint, subkeyFingerprints, bytes: Buffer.concat(packets.map(({ whole }) => whole)) }
}

/** SPEC: RFC 4880 section 5.2.2: version, length 5, type. The library skips old signatures; a revocation must not be skipped. */
function isOldRevocation({ tag, body: [version, , type] }: Packet): boolean {
  return tag === packetTag.signature && version === 3 && (type === 0x20 || type === 0x28)
}

/** SPEC: RFC 9580 section 5.5.4.2; SHA-1 is what identifies a version 4 key. */
function fingerprintOf(body: Uint8Array, what: string): string {
  if (body[0] !== 4) throw new RktError('key-invalid', `cannot read ${what}: version ${body[0] ?? 'none'} key; expected version 4`)
  const length = Buffer.alloc(3)
  length.writeUInt8(0x99, 0)
  length.writeUInt16BE(body.byteLength, 1)
  return createHash('sha1').update(length).update(body).digest('hex')
}
