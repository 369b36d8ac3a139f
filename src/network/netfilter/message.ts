import { endianness } from 'node:os'

/** Message types of nf_tables; KERNEL: include/uapi/linux/netfilter/nf_tables.h. */
export const messageType = { newTable: 0, newChain: 3, newRule: 6 } as const

const subsystem = 10
const batchBegin = 16
const batchEnd = 17
const flag = { request: 0x1, acknowledge: 0x4, create: 0x400, append: 0x800 } as const
const nestedFlag = 0x8000

/** Both families in one table. */
const familyInet = 1

/** One change of the packet rules. */
export interface Change {
  readonly type: (typeof messageType)[keyof typeof messageType]
  readonly attributes: readonly Buffer[]
}

/** A batch that the kernel carries out whole or not at all. */
export function batch(changes: readonly Change[]): Buffer {
  const last = changes.length - 1
  return Buffer.concat([
    message({ type: batchBegin, family: 0, resource: subsystem, flags: flag.request, attributes: [] }),
    ...changes.map(({ type, attributes }, index) =>
      message({
        type: (subsystem << 8) | type,
        family: familyInet,
        resource: 0,
        // One answer when all has been done; failures are told in any case.
        flags: flag.request | flag.create | flag.append | (index === last ? flag.acknowledge : 0),
        attributes,
      })),
    message({ type: batchEnd, family: 0, resource: subsystem, flags: flag.request, attributes: [] }),
  ])
}

interface MessageParts {
  readonly type: number
  readonly family: number
  readonly resource: number
  readonly flags: number
  readonly attributes: readonly Buffer[]
}

function message({ type, family, resource, flags, attributes }: MessageParts): Buffer {
  const body = Buffer.concat([Buffer.from([family, 0, resource >> 8, resource & 0xff]), ...attributes])
  return Buffer.concat([hostU32(16 + body.byteLength), hostU16(type), hostU16(flags), hostU32(0), hostU32(0), body])
}

/** An attribute with bytes as they are. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const size = 4 + value.byteLength
  return Buffer.concat([hostU16(size), hostU16(type), value, Buffer.alloc((4 - (size % 4)) % 4)])
}

/** An attribute that holds others. */
export function nested(type: number, attributes: readonly Buffer[]): Buffer {
  return attribute(type | nestedFlag, Buffer.concat(attributes))
}

/** An attribute with a name. */
export function textAttribute(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`, 'latin1'))
}

/** An attribute with a number, which nf_tables wants in network order. */
export function numberAttribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return attribute(type, bytes)
}

const little = endianness() === 'LE'

/** 32 bits in the order of this machine. */
export function hostU32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  if (little) bytes.writeUInt32LE(value)
  else bytes.writeUInt32BE(value)
  return bytes
}

function hostU16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  if (little) bytes.writeUInt16LE(value)
  else bytes.writeUInt16BE(value)
  return bytes
}
