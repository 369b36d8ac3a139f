import { type EnterPlan, type FieldLetter, type LaunchPlan, type Operation, operations } from './operations.ts'

const magic = Buffer.from('RKTPLAN1')
const section = { pod: 1, app: 2, end: 3, enter: 4 } as const

/** The bytes of a plan as the launcher reads them. */
export function encodePlan(plan: LaunchPlan): Buffer {
  return frame([
    encodeSection(section.pod, plan.pod),
    ...plan.apps.map((app) => encodeSection(section.app, app)),
    encodeSection(section.end, plan.end),
  ])
}

/** The bytes of a plan that holds one app for a running pod. */
export function encodeAppPlan(app: readonly Operation[]): Buffer {
  return frame([encodeSection(section.app, app)])
}

/** The bytes of a plan that holds one program for a running pod. */
export function encodeEnterPlan(plan: EnterPlan): Buffer {
  return frame([encodeSection(section.enter, plan)])
}

function frame(sections: readonly Buffer[]): Buffer {
  const body = Buffer.concat(sections)
  return Buffer.concat([magic, u32(16 + body.byteLength), u32(sections.length), body])
}

function encodeSection(kind: number, list: readonly Operation[]): Buffer {
  const body = Buffer.concat(list.map(encodeOperation))
  return Buffer.concat([u32(kind), u32(list.length), u32(body.byteLength), body])
}

function encodeOperation(operation: Operation): Buffer {
  const schema: { readonly code: number; readonly fields: Readonly<Record<string, FieldLetter>> } = operations[operation.op]
  const values: Readonly<Record<string, unknown>> = operation
  const payload = Buffer.concat(Object.entries(schema.fields).map(([name, letter]) => encodeField(letter, values[name])))
  const head = Buffer.alloc(8)
  head.writeUInt16LE(schema.code, 0)
  head.writeUInt32LE(payload.byteLength, 4)
  return Buffer.concat([head, payload])
}

function encodeField(letter: FieldLetter, value: unknown): Buffer {
  if (letter === 's' && typeof value === 'string') return text(value)
  if (letter === 'u' && typeof value === 'number') return u32(value)
  if (letter === 'U' && typeof value === 'bigint') return u64(value)
  if (letter === 'b' && value instanceof Uint8Array) return Buffer.concat([u32(value.byteLength), value])
  if (letter === 'S' && Array.isArray(value)) return Buffer.concat([u32(value.length), ...value.map((item) => text(String(item)))])
  if (letter === 'I' && Array.isArray(value)) return Buffer.concat([u32(value.length), ...value.map((item) => u32(Number(item)))])
  throw new Error(`a plan field of kind ${letter} holds ${typeof value}`)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(`${value}\0`)
  // ATTACK: a NUL would cut the text for C, after it was judged whole here.
  if (bytes.indexOf(0) !== bytes.byteLength - 1) throw new Error('a plan text holds a NUL')
  return Buffer.concat([u32(bytes.byteLength), bytes])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
