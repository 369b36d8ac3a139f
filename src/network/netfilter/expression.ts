import { attribute, hostU32, nested, numberAttribute, textAttribute } from './message.ts'

/** One step of a rule. A rule goes on while its comparisons hold; every step works on the same register, loads before comparisons. */
export type Expression = Buffer

const firstRegister = 1
const secondRegister = 2

/** KERNEL: include/uapi/linux/netfilter/nf_tables.h. */
const metaKey = { inetFamily: 15, protocol: 16 } as const
const payloadBase = { network: 1, transport: 2 } as const
const fibResultType = 3
const fibFlag = { source: 1, destination: 2 } as const
const addressTypeLocal = 2
const ctKeyStatus = 2
const ctStatusDestinationChanged = 1 << 5
const protocolNumber = { tcp: 6, udp: 17 } as const
const family = { 4: 2, 6: 10 } as const
const addressPlace = { 4: { source: 12, destination: 16, bytes: 4 }, 6: { source: 8, destination: 24, bytes: 16 } } as const

export type IpVersion = 4 | 6
export type Side = 'source' | 'destination'

/** The packet is of this family. */
export function isFamily(version: IpVersion): Expression[] {
  return [expression('meta', [numberAttribute(1, firstRegister), numberAttribute(2, metaKey.inetFamily)]), compare(Buffer.from([family[version]]))]
}

/** The packet is of this protocol. */
export function isProtocol(protocol: 'tcp' | 'udp'): Expression[] {
  return [expression('meta', [numberAttribute(1, firstRegister), numberAttribute(2, metaKey.protocol)]), compare(Buffer.from([protocolNumber[protocol]]))]
}

/** The packet goes to this port. */
export function toPort(port: number): Expression[] {
  return [payload(payloadBase.transport, { offset: 2, bytes: 2 }), compare(portBytes(port))]
}

/** The address on one side is an address of this host. */
export function isLocal(side: Side): Expression[] {
  return [
    expression('fib', [numberAttribute(1, firstRegister), numberAttribute(2, fibResultType), numberAttribute(3, fibFlag[side])]),
    compare(hostU32(addressTypeLocal)),
  ]
}

export interface AddressMatch {
  readonly side: Side
  readonly version: IpVersion
  /** Bytes of the address. */
  readonly address: Uint8Array
  /** How many leading bits count; left out: all. */
  readonly prefixLength?: number
  /** The address is to be another. */
  readonly not?: boolean
}

/** The address on one side is this one, or in this network. */
export function hasAddress({ side, version, address, prefixLength, not = false }: AddressMatch): Expression[] {
  const { [side]: offset, bytes } = addressPlace[version]
  const load = payload(payloadBase.network, { offset, bytes })
  if (prefixLength === undefined || prefixLength === bytes * 8) return [load, compare(address, not)]
  const mask = Buffer.from(Array.from({ length: bytes }, (_, index) => (0xff00 >> Math.min(8, Math.max(0, prefixLength - index * 8))) & 0xff))
  const masked = Buffer.from(mask.map((bits, index) => bits & (address[index] ?? 0)))
  return [load, bitwise(mask), compare(masked, not)]
}

/** The connection's destination was changed before. */
export function wasRedirected(): Expression[] {
  const mask = hostU32(ctStatusDestinationChanged)
  return [expression('ct', [numberAttribute(1, firstRegister), numberAttribute(2, ctKeyStatus)]), bitwise(mask), compare(Buffer.alloc(4), true)]
}

export interface Redirection {
  readonly version: IpVersion
  readonly address: Uint8Array
  readonly port: number
}

/** Sends the connection to another place. */
export function redirect({ version, address, port }: Redirection): Expression[] {
  return [
    immediate(firstRegister, address),
    immediate(secondRegister, portBytes(port)),
    expression('nat', [
      numberAttribute(1, 1),
      numberAttribute(2, family[version]),
      numberAttribute(3, firstRegister),
      numberAttribute(5, secondRegister),
    ]),
  ]
}

/** Gives the connection the address of the interface through which it leaves. */
export function masquerade(): Expression[] {
  return [expression('masq', [])]
}

function expression(name: string, attributes: readonly Buffer[]): Expression {
  return nested(1, [textAttribute(1, name), nested(2, attributes)])
}

function compare(value: Uint8Array, not = false): Expression {
  return expression('cmp', [numberAttribute(1, firstRegister), numberAttribute(2, not ? 1 : 0), nested(3, [attribute(1, value)])])
}

function payload(base: number, { offset, bytes }: { readonly offset: number; readonly bytes: number }): Expression {
  return expression('payload', [numberAttribute(1, firstRegister), numberAttribute(2, base), numberAttribute(3, offset), numberAttribute(4, bytes)])
}

function bitwise(mask: Uint8Array): Expression {
  return expression('bitwise', [
    numberAttribute(1, firstRegister),
    numberAttribute(2, firstRegister),
    numberAttribute(3, mask.byteLength),
    nested(4, [attribute(1, mask)]),
    nested(5, [attribute(1, Buffer.alloc(mask.byteLength))]),
  ])
}

function immediate(register: number, value: Uint8Array): Expression {
  return expression('immediate', [numberAttribute(1, register), nested(2, [attribute(1, value)])])
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(port)
  return bytes
}
