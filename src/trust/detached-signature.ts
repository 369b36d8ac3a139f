import { limits, RktError } from '../base/index.ts'
import { acceptedHash, hashText, isAcceptedSigningAlgorithm, publicKeyText, type HashName } from './algorithms.ts'
import { dearmor } from './armor.ts'
import { bigEndian, packetTag, readLength, readPackets } from './packets.ts'

/** A signature packet that passed every check that needs no key: version 4, over a binary document, with accepted algorithms. */
export interface DetachedSignature {
  /** The packet with its header, for the library. */
  readonly packet: Uint8Array
  readonly hash: HashName
  /** What is hashed after the document: the hashed part of the packet, and its length. */
  readonly trailer: Uint8Array
  /** 16 upper-case hexadecimal digits. */
  readonly issuerKeyID: string
  /** 40 lower-case hexadecimal digits, when the signature names its key in full. */
  readonly issuerFingerprint: string | undefined
}

/** Signatures that one file may hold: several people may sign one image. */
const maxSignatures = 16

/**
 * Reads a detached signature file, armoured or binary; every octet of it is accounted for, so that a changed one is noticed even
 * outside the signed part.
 *
 * @throws RktError `signature-invalid` naming what is not accepted, or `limit-exceeded`.
 */
export function readDetachedSignatures(bytes: Uint8Array): DetachedSignature[] {
  if (bytes.byteLength > limits.signatureBytes) {
    throw new RktError('limit-exceeded', `cannot read the signature: ${bytes.byteLength} bytes; expected at most ${limits.signatureBytes}`)
  }
  const blocks = dearmor(bytes, { type: 'PGP SIGNATURE', what: 'the signature', around: 'blank' })
  const packets = readPackets(Buffer.concat(blocks), { what: 'the signature', code: 'signature-invalid', maxPackets: maxSignatures })
  return packets.map((packet) => {
    if (packet.tag !== packetTag.signature) throw refused(`OpenPGP packet of type ${packet.tag}`)
    return readSignature(packet.whole, packet.body)
  })
}

/** SPEC: RFC 9580 section 5.2.3. */
function readSignature(whole: Uint8Array, body: Uint8Array): DetachedSignature {
  const [version, type, publicKey, hashID] = body
  if (version !== 4) throw refused(`version ${version ?? 'none'} signature`)
  if (type !== 0x00) throw refused(type === 0x01 ? 'signature of a text (type 0x01)' : `signature of type 0x${(type ?? 0).toString(16).padStart(2, '0')}`)
  if (publicKey === undefined || !isAcceptedSigningAlgorithm(publicKey)) throw refused(`${publicKeyText(publicKey ?? 0)} signature`)
  const hash = acceptedHash(hashID ?? 0)
  if (hash === undefined) throw refused(`${hashText(hashID ?? 0)} signature`)

  const hashed = readArea(body, 4)
  const unhashed = readArea(body, hashed.end)
  const issuer = readIssuer(hashed.subpackets, unhashed.subpackets)
  checkNumbers(body, { at: unhashed.end + 2, algorithm: publicKey })
  const signed = body.subarray(0, hashed.end)
  const trailer = Buffer.alloc(signed.byteLength + 6)
  trailer.set(signed)
  trailer.writeUInt16BE(0x04ff, signed.byteLength)
  trailer.writeUInt32BE(signed.byteLength, signed.byteLength + 2)
  return { packet: whole, hash, trailer, ...issuer }
}

interface Subpacket {
  readonly type: number
  readonly critical: boolean
  readonly body: Uint8Array
}

/** Subpacket types that say who signed; the only ones that make sense outside the signed part. */
const issuerKeyIDType = 16
const issuerFingerprintType = 33

function readArea(body: Uint8Array, start: number): { readonly subpackets: Subpacket[]; readonly end: number } {
  const length = bigEndian(body, { at: start, width: 2 })
  if (length === undefined || start + 2 + length > body.byteLength) throw refused('damaged signature packet')
  const area = body.subarray(start + 2, start + 2 + length)
  const subpackets: Subpacket[] = []
  let at = 0
  while (at < area.byteLength) {
    const size = readLength(area, at)
    const type = size === undefined ? undefined : area[size.next]
    if (size === undefined || type === undefined || size.value < 1 || size.next + size.value > area.byteLength) {
      throw refused('damaged signature subpacket')
    }
    subpackets.push({ type: type & 0x7f, critical: (type & 0x80) !== 0, body: area.subarray(size.next + 1, size.next + size.value) })
    at = size.next + size.value
  }
  return { subpackets, end: start + 2 + length }
}

/** Who signed, from both areas; a file where they disagree is refused, and so is anything else outside the signed part. */
function readIssuer(hashed: readonly Subpacket[], unhashed: readonly Subpacket[]): Pick<DetachedSignature, 'issuerKeyID' | 'issuerFingerprint'> {
  const keyIDs = new Set<string>()
  const fingerprints = new Set<string>()
  for (const { type, critical } of unhashed) {
    if (critical || (type !== issuerKeyIDType && type !== issuerFingerprintType)) throw refused(`unsigned subpacket of type ${type}`)
  }
  for (const { type, body } of [...hashed, ...unhashed]) {
    if (type === issuerKeyIDType) {
      if (body.byteLength !== 8) throw refused('damaged issuer key ID')
      keyIDs.add(Buffer.from(body).toString('hex').toUpperCase())
    } else if (type === issuerFingerprintType) {
      if (body.byteLength !== 21 || body[0] !== 4) throw refused('issuer that is not a version 4 key')
      fingerprints.add(Buffer.from(body.subarray(1)).toString('hex'))
    }
  }
  for (const fingerprint of fingerprints) keyIDs.add(fingerprint.slice(-16).toUpperCase())
  const [issuerKeyID] = keyIDs
  if (issuerKeyID === undefined) throw refused('signature without an issuer')
  if (keyIDs.size > 1 || fingerprints.size > 1) throw refused('signature with contradicting issuers')
  return { issuerKeyID, issuerFingerprint: [...fingerprints][0] }
}

/**
 * The numbers of the signature must fill the rest of the packet, each in its only canonical form. The library takes a length that
 * is a few bits off, and zero.
 */
function checkNumbers(body: Uint8Array, { at, algorithm }: { readonly at: number; readonly algorithm: number }): void {
  if (algorithm === 27) {
    if (body.byteLength - at !== 64) throw refused('damaged Ed25519 signature')
    return
  }
  const wanted = algorithm === 19 || algorithm === 22 ? 2 : 1
  let next = at
  for (let index = 0; index < wanted; index += 1) {
    const bits = bigEndian(body, { at: next, width: 2 })
    const first = body[next + 2]
    if (bits === undefined || bits === 0 || first === undefined) throw refused('damaged or zero number in the signature')
    if (32 - Math.clz32(first) !== ((bits - 1) % 8) + 1) throw refused('number in the signature is not in canonical form')
    next += 2 + Math.ceil(bits / 8)
  }
  if (next !== body.byteLength) throw refused('signature packet of the wrong length')
}

function refused(state: string): RktError {
  return new RktError('signature-invalid', `cannot use the signature: ${state}; expected a version 4 OpenPGP signature of a binary file with RSA, ECDSA or Ed25519 and SHA-256, SHA-384 or SHA-512`)
}
