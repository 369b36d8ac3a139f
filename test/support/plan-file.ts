import { type FieldLetter, operations } from '../../src/stage1/plan/operations.ts'

export type FieldValue = string | number | bigint | Uint8Array | readonly string[] | readonly number[]

/** One operation of an encoded plan, its fields by name. */
export interface PlanOperation {
  readonly name: string
  readonly code: number
  readonly fields: Readonly<Record<string, FieldValue>>
}

export interface PlanSection {
  readonly kind: number
  readonly operations: readonly PlanOperation[]
}

const schemas = new Map(Object.entries(operations).map(([name, { code, fields }]): [number, { readonly name: string; readonly fields: Readonly<Record<string, FieldLetter>> }] => [code, { name, fields }]))

/** Reads the bytes of a plan that stage0 has written; SPEC: specs/launch-plan.md, Bytes. */
export function readPlan(bytes: Buffer): PlanSection[] {
  let at = 12
  const u32 = (): number => bytes.readUInt32LE((at += 4) - 4)
  const text = (): string => {
    const size = u32()
    return bytes.toString('utf8', at, (at += size) - 1)
  }
  const list = <T>(item: () => T): T[] => Array.from({ length: u32() }, item)
  const field = (letter: FieldLetter): FieldValue => {
    if (letter === 's') return text()
    if (letter === 'u') return u32()
    if (letter === 'U') return bytes.readBigUInt64LE((at += 8) - 8)
    if (letter === 'S') return list(text)
    if (letter === 'I') return list(u32)
    const size = u32()
    return bytes.subarray(at, (at += size))
  }
  return Array.from({ length: u32() }, () => {
    const kind = u32()
    const count = u32()
    at += 4
    const found = Array.from({ length: count }, (): PlanOperation => {
      const code = u32()
      at += 4
      const schema = schemas.get(code)
      if (schema === undefined) throw new Error(`no operation ${code}`)
      return { name: schema.name, code, fields: Object.fromEntries(Object.entries(schema.fields).map(([name, letter]) => [name, field(letter)])) }
    })
    return { kind, operations: found }
  })
}

/** The bytes of a plan, also of one that stage0 would never write. */
export function writePlan(sections: readonly PlanSection[]): Buffer {
  const body = Buffer.concat(sections.map(({ kind, operations: list }) => {
    const encoded = Buffer.concat(list.map(writeOperation))
    return Buffer.concat([u32(kind), u32(list.length), u32(encoded.byteLength), encoded])
  }))
  return Buffer.concat([Buffer.from('RKTPLAN1'), u32(16 + body.byteLength), u32(sections.length), body])
}

function writeOperation({ code, fields }: PlanOperation): Buffer {
  const letters = Object.values(schemas.get(code)?.fields ?? {})
  const body = Buffer.concat(Object.values(fields).map((value, index) => writeField(letters[index], value)))
  return Buffer.concat([u32(code), u32(body.byteLength), body])
}

function writeField(letter: FieldLetter | undefined, value: FieldValue): Buffer {
  if (typeof value === 'string') return sized(Buffer.from(`${value}\0`))
  if (typeof value === 'number') return u32(value)
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(value)
    return bytes
  }
  if (value instanceof Uint8Array) return sized(Buffer.from(value))
  return Buffer.concat([u32(value.length), ...value.map((item) => (letter === 'I' ? u32(Number(item)) : sized(Buffer.from(`${item}\0`))))])
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([u32(bytes.byteLength), bytes])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
