import type { LaunchPlan } from './operations.ts'

/** A plan as `rkt run --dry-run` prints it: bytes as base64, 64-bit numbers as hexadecimal text. */
export function planToJson(plan: LaunchPlan): unknown {
  return JSON.parse(JSON.stringify(plan, (_key, value: unknown) => printable(value)))
}

function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (isBufferJson(value)) return Buffer.from(value.data).toString('base64')
  return value
}

/** Buffers turn themselves into `{type, data}` before a replacer sees them. */
function isBufferJson(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data)
}
