import type { Key, SignaturePacket, Subkey } from 'openpgp'
import { quote, type ErrorCode } from '../base/index.ts'
import type { DetachedSignature } from './detached-signature.ts'
import { isKeyFault, judgeKey } from './key-validity.ts'
import { loadOpenPGP, type OpenPGPWithPolicy } from './openpgp-policy.ts'
import type { Signer } from './signer.ts'
import type { TrustedKey } from './trusted-signer.ts'

export interface VerifySignatureOptions {
  readonly signature: DetachedSignature
  /** Hash over document and trailer. */
  readonly digest: Uint8Array
  readonly key: TrustedKey
  readonly now: Date
}

export type VerifyOutcome =
  | { readonly kind: 'good'; readonly signer: Signer }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly state: string; readonly hint: string }

/** Verifies one signature with one stored key, in this order: is it from this key, is the key good, is the signature in force. */
export async function verifySignature({ signature, digest, key: stored, now }: VerifySignatureOptions): Promise<VerifyOutcome> {
  const pgp = await loadOpenPGP()
  const parsed = await parse(pgp, { signature, stored })
  if (parsed === undefined) return fault('key-invalid', `the key in ${stored.path} cannot be read`, replaceHint(stored))
  const { packet, key } = parsed
  const component = signingComponent(key, signature)
  if (component === undefined || packet.created === null) return fault('key-invalid', `the key in ${stored.path} cannot be read`, replaceHint(stored))

  const critical = unknownCritical(packet)
  if (!(await isGenuine(pgp, { packet, component, digest }))) {
    return fault('signature-invalid', 'openpgp: invalid signature: the image or the signature was changed, or they do not belong together', 'fetch image and signature again from their publisher')
  }
  if (critical !== undefined) return fault('signature-invalid', `openpgp: the signature depends on ${critical}, which is not known here`, 'ask the publisher for a plain signature')
  const signedAt = packet.created
  const named = `${component.getFingerprint()}`
  if (signedAt > now) return fault('signature-invalid', `the signature of key ${named} is dated in the future (${signedAt.toISOString()})`, 'check the clock of this machine')
  const expires = Number(packet.getExpirationTime())
  if (expires <= now.getTime()) return fault('signature-invalid', `openpgp: signature expired on ${new Date(expires).toISOString().slice(0, 10)}`, 'fetch a newer signature from the publisher')
  const judged = await judgeKey(key, component, { pgp, now, signedAt })
  if (isKeyFault(judged)) return fault(judged.code, `key ${named}: ${judged.state}`, replaceHint(stored))
  return {
    kind: 'good',
    signer: { kind: 'openpgp', fingerprint: named, key: stored, identities: judged.identities, signedAt, expiresAtMs: Math.min(expires, judged.expiresAtMs) },
  }
}

interface Parsed {
  readonly packet: SignaturePacket
  readonly key: Key
}

async function parse({ openpgp, config }: OpenPGPWithPolicy, { signature, stored }: { readonly signature: DetachedSignature; readonly stored: TrustedKey }): Promise<Parsed | undefined> {
  try {
    const { packets } = await openpgp.readSignature({ binarySignature: signature.packet, config: { ...config, ignoreUnsupportedPackets: false } })
    const key = await openpgp.readKey({ binaryKey: stored.bytes, config })
    const [packet] = packets
    return packet instanceof openpgp.SignaturePacket && packets.length === 1 ? { packet, key } : undefined
  } catch {
    // Whatever the library could not read is refused as one thing; its words are not for users.
    return undefined
  }
}

function signingComponent(key: Key, { issuerFingerprint, issuerKeyID }: DetachedSignature): Key | Subkey | undefined {
  return [key, ...key.subkeys].find((part) =>
    issuerFingerprint === undefined ? part.getKeyID().toHex().toUpperCase() === issuerKeyID : part.getFingerprint() === issuerFingerprint,
  )
}

/** What the signer declares essential and nobody here knows; no notation is known. */
function unknownCritical({ rawNotations, unknownSubpackets }: SignaturePacket): string | undefined {
  const notation = rawNotations.find(({ critical }) => critical)
  if (notation !== undefined) return `critical notation ${quote(notation.name)}`
  const subpacket = unknownSubpackets.find(({ critical }) => critical)
  return subpacket === undefined ? undefined : `critical subpacket of type ${subpacket.type}`
}

/**
 * The cryptographic question alone. The library is given the finished hash instead of the document (it looks at `hashed` first),
 * and the date of the signature itself, so that neither time nor notations answer in place of it.
 */
async function isGenuine(
  { openpgp, config }: OpenPGPWithPolicy,
  { packet, component, digest }: { readonly packet: SignaturePacket; readonly component: Key | Subkey; readonly digest: Uint8Array },
): Promise<boolean> {
  const knownNotations = packet.rawNotations.map(({ name }) => name)
  packet.unknownSubpackets = []
  Object.assign(packet, { hashed: digest })
  try {
    await packet.verify(component.keyPacket, openpgp.enums.signature.binary, new Uint8Array(0), packet.created ?? undefined, true, { ...config, knownNotations })
    return true
  } catch {
    return false
  } finally {
    Object.assign(packet, { hashed: undefined })
  }
}

function fault(code: ErrorCode, state: string, hint: string): VerifyOutcome {
  return { kind: 'fault', code, state, hint }
}

function replaceHint({ scope, fingerprint }: TrustedKey): string {
  const scopeFlag = scope.kind === 'root' ? '--root' : `--prefix=${scope.prefix}`
  return `store a current copy of key ${fingerprint} with: rkt trust ${scopeFlag} KEYFILE; or allow the image once with --insecure-options=image`
}
