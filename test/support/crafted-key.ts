import { createMessage, config, enums, generateKey, readPrivateKey, sign, SignaturePacket, type PrivateKey, type Subkey } from 'openpgp'
import { packetOf } from './signature-surgery.ts'

/** A key with a signing subkey, whose binding a test makes itself. */
export interface CraftedKey {
  readonly key: PrivateKey
  readonly subkey: Subkey
}

/** An Ed25519 key with one signing subkey, as a correct program makes it. */
export async function craftKey(userName: string): Promise<CraftedKey> {
  const { privateKey } = await generateKey({ userIDs: [{ name: userName }], subkeys: [{ sign: true }], format: 'armored', date: new Date(Date.now() - 60_000) })
  const key = await readPrivateKey({ armoredKey: privateKey })
  const [subkey] = key.subkeys
  if (subkey === undefined) throw new Error('no subkey was made')
  return { key, subkey }
}

/** Detached binary signature by the signing subkey. */
export async function signWithSubkey({ key }: CraftedKey, data: Uint8Array): Promise<Uint8Array> {
  return await sign({ message: await createMessage({ binary: data }), signingKeys: key, detached: true, format: 'binary' })
}

export interface BindingOptions {
  /** Undefined: none. */
  readonly keyFlags: number | undefined
  /** The subkey's own signature over the primary key, to put inside. */
  readonly back?: SignaturePacket | null
}

/** The public key of `primary` alone, followed by `subkey` with a new binding that `primary` makes. */
export async function withBinding({ key: primary }: CraftedKey, { subkey }: CraftedKey, { keyFlags, back = null }: BindingOptions): Promise<Uint8Array> {
  if (!primary.keyPacket || !('privateParams' in primary.keyPacket)) throw new Error('no secret key')
  const binding = new SignaturePacket()
  binding.signatureType = enums.signature.subkeyBinding
  binding.publicKeyAlgorithm = primary.keyPacket.algorithm
  binding.hashAlgorithm = enums.hash.sha512
  binding.keyFlags = keyFlags === undefined ? null : Uint8Array.of(keyFlags)
  binding.embeddedSignature = back
  const over: unknown = { key: primary.keyPacket, bind: subkey.keyPacket }
  // SAFETY: the library signs the pair of keys; its types know signatures of bytes only, and leave the last argument out.
  const make = binding.sign.bind(binding) as unknown as (key: unknown, over: unknown, date: Date, detached: boolean, settings: typeof config) => Promise<void>
  await make(primary.keyPacket, over, new Date(Date.now() - 30_000), false, config)
  const single = primary.toPublic()
  single.subkeys = []
  const adopted = subkeyPackets(subkey)
  return Buffer.concat([single.write(), adopted, packetOf(enums.packet.signature, binding.write())])
}

/** The public key without any binding of its subkey. */
export function withoutBinding({ key, subkey }: CraftedKey): Uint8Array {
  const single = key.toPublic()
  single.subkeys = []
  return Buffer.concat([single.write(), subkeyPackets(subkey)])
}

/** The public key with another key's subkey and that key's binding, as they were. */
export function withForeignSubkey({ key }: CraftedKey, { subkey }: CraftedKey): Uint8Array {
  const [binding] = subkey.bindingSignatures
  if (binding === undefined) throw new Error('no binding')
  const single = key.toPublic()
  single.subkeys = []
  return Buffer.concat([single.write(), subkeyPackets(subkey), packetOf(enums.packet.signature, binding.write())])
}

function subkeyPackets({ mainKey, keyPacket }: Subkey): Uint8Array {
  const index = mainKey.subkeys.findIndex((one) => one.keyPacket === keyPacket)
  const packet = mainKey.toPublic().subkeys[index]?.keyPacket
  if (packet === undefined) throw new Error('the subkey has no public form')
  return packetOf(enums.packet.publicSubkey, packet.write())
}
